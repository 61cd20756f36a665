/** Finds passages of untrusted content that read as instructions to the assistant, with a score and the reasons. Pure, linear. */
import { invisible } from "./labels-text.ts";
import { signalsOf } from "./data-flow-signals.ts";
import type { ReadingContext, Signal } from "./data-flow-signals.ts";

/** Characters `start` to `end` (exclusive) of the field. */
export interface Passage {
  readonly start: number;
  readonly end: number;
  /** 0 to 100. */
  readonly score: number;
  readonly reasons: readonly string[];
}

/** A passage below this says nothing. */
const leastScore = 35;

/** Units of one field that are read; what follows is taken as one unread passage of no score. */
const maxUnits = 20_000;

/**
 * Passages do not overlap and come in order. A passage is a run of sentences around strong signs (speaking of the
 * assistant's task, posing as an authority, role markers) together with the commands beside them, or commands alone.
 */
export function findInstructions(field: string, context: ReadingContext): readonly Passage[] {
  const units = splitUnits(field);
  const readings = units.map((unit) => readUnit(unit, context));
  return groupUnits(readings)
    .map((group) => passageOf(units, readings, group))
    .filter((passage) => passage.score >= leastScore);
}

interface Unit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Reading {
  readonly signals: readonly Signal[];
  readonly isStrong: boolean;
  readonly isWeak: boolean;
  /** `<IMPORTANT>`, `[NOTE]`: a line that is nothing but a tag. */
  readonly tag: string | null;
  readonly endsOpen: boolean;
}

/** Sentences and lines; longer ones are cut, with their beginnings whole. */
function splitUnits(field: string): readonly Unit[] {
  const units: Unit[] = [];
  const separator = /\n+|(?<=[.!?。！？])\s+(?=\S)/g;
  let start = 0;
  const push = (end: number): void => {
    for (let from = start; from < end && units.length < maxUnits; from += 2_000) {
      const to = Math.min(end, from + 2_000);
      units.push({ start: from, end: to, text: field.slice(from, to) });
    }
  };
  for (const found of field.matchAll(separator)) {
    // "Mr. Smith", "e.g. this": too short to be a sentence, so it stays with what follows. Lines always end.
    if (!found[0].includes("\n") && found.index - start < 4) continue;
    push(found.index);
    start = found.index + found[0].length;
  }
  push(field.length);
  return units.filter((unit) => unit.text.trim() !== "");
}

function readUnit({ text }: Unit, context: ReadingContext): Reading {
  const shown = text.normalize("NFKC").replace(invisible, "").toLowerCase().replace(/\s+/g, " ").trim();
  const signals = [...signalsOf(shown, context)];
  if (hidesText(text)) {
    signals.push({
      name: "hidden signs",
      points: 45,
      isStrong: true,
      reason: "holds signs that people do not see",
    });
  }
  if (isShouting(text))
    signals.push({ name: "shouting", points: 10, isStrong: false, reason: "is in capitals" });
  return {
    signals,
    isStrong: signals.some((signal) => signal.isStrong),
    isWeak: signals.some(({ name }) => name === "imperative" || name === "do the following"),
    tag:
      /^\s*[<[{(*=~-]{1,6}\/?\s?([A-Za-z_ ]{3,40})\s?\/?[>\]})*=~-]{1,6}\s*$/.exec(text)?.[1]?.trim() ?? null,
    endsOpen: /:\s*$/.test(text),
  };
}

/** Tag characters (U+E0000) and direction overrides hide or reorder text; a few zero-width joiners are normal in some scripts. */
function hidesText(text: string): boolean {
  if (/[\u{e0001}-\u{e007f}\u202d\u202e]/u.test(text) && !/\u{1f3f4}/u.test(text)) return true;
  return (text.match(/(?<=\w)[\u200b\u2060\u2063\u2064](?=\w)/g)?.length ?? 0) >= 4;
}

function isShouting(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return letters >= 12 && (text.match(/\p{Lu}/gu)?.length ?? 0) > letters * 0.6;
}

interface Group {
  first: number;
  last: number;
}

/** How many plain units may lie between two strong ones of one passage, and how far commands around it are taken in. */
const reach = 6;

function groupUnits(readings: readonly Reading[]): readonly Group[] {
  const groups: Group[] = [];
  for (const [index, reading] of readings.entries()) {
    if (!reading.isStrong && !reading.isWeak) continue;
    const before = groups.at(-1);
    if (before !== undefined && belongs(readings, before, index)) before.last = index;
    else groups.push({ first: index, last: index });
  }
  return groups.map((group) => widen(readings, group));
}

/** Strong signs reach over plain sentences; commands alone hold together only side by side. */
function belongs(readings: readonly Reading[], group: Group, index: number): boolean {
  const gap = index - group.last - 1;
  if (gap === 0) return true;
  const hasStrong = readings.slice(group.first, group.last + 1).some((reading) => reading.isStrong);
  return (
    gap <= (hasStrong && readings[index]!.isStrong ? reach : hasStrong || readings[index]!.isStrong ? 2 : 0)
  );
}

/** Takes in what a colon announces, and the tags around. */
function widen(readings: readonly Reading[], { first, last }: Group): Group {
  let from = first;
  let to = last;
  if (readings[to]!.endsOpen) to = Math.min(readings.length - 1, to + 3);
  const opening = lastIndexBefore(readings, from, reach);
  if (opening !== undefined) {
    const name = readings[opening]!.tag!.toLowerCase();
    for (let index = to + 1; index <= Math.min(readings.length - 1, to + 40); index += 1) {
      if (readings[index]!.tag?.toLowerCase() !== name) continue;
      to = index;
      break;
    }
    from = opening;
  }
  return { first: from, last: to };
}

function lastIndexBefore(readings: readonly Reading[], index: number, distance: number): number | undefined {
  for (let at = index; at >= Math.max(0, index - distance); at -= 1)
    if (readings[at]!.tag !== null) return at;
  return undefined;
}

function passageOf(units: readonly Unit[], readings: readonly Reading[], { first, last }: Group): Passage {
  const signals = new Map<string, Signal>();
  for (let index = first; index <= last; index += 1) {
    for (const signal of readings[index]!.signals) {
      if ((signals.get(signal.name)?.points ?? 0) < signal.points) signals.set(signal.name, signal);
    }
  }
  const tag = readings[first]!.tag === null || signals.size === 0 ? 0 : 10;
  const sorted = [...signals.values()].sort((a, b) => b.points - a.points);
  const points = sorted.reduce((sum, signal) => sum + signal.points, tag);
  return {
    start: units[first]!.start,
    end: units[last]!.end,
    score: Math.min(100, points),
    reasons: sorted.map(({ reason }) => reason),
  };
}
