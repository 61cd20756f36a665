/** Says of each argument of an action where it came from. Pure over a run's labels. */
import type { JsonObject } from "../base/canonical-json.ts";
import type {
  ArgumentOrigin,
  ArgumentRole,
  OriginKind,
  OriginMatch,
} from "../policy/rules/argument-origin.ts";
import { runLength } from "./data-flow-passages.ts";
import type { TaskIntent } from "./data-flow-task.ts";
import { stem } from "./data-flow-words.ts";
import { leavesOf } from "./labels-roles.ts";
import type { ArgumentLeaf, ArgumentRoles } from "./labels-roles.ts";
import { compact, normalise, numberOf, tokensOf } from "./labels-text.ts";
import { holds, isTrustedLabel } from "./labels.ts";
import type { Labels, Span } from "./labels.ts";

export interface Tracing {
  readonly labels: Labels;
  readonly intent: TaskIntent | null;
}

/** Every leaf of the arguments, in their order. */
export function traceArguments(
  args: JsonObject,
  roles: ArgumentRoles | undefined,
  tracing: Tracing,
): readonly ArgumentOrigin[] {
  return leavesOf(args, roles).map((leaf) => traceLeaf(leaf, tracing));
}

/** Roles whose values are too common to accuse anybody of: `100`, `2024-01-01`, `true`. */
const commonRoles: ReadonlySet<ArgumentRole> = new Set(["amount", "date", "option"]);

/** Values longer than this are traced as texts: by the words and addresses in them. */
const shortLength = 200;

function traceLeaf(leaf: ArgumentLeaf, tracing: Tracing): ArgumentOrigin {
  const value = String(leaf.value);
  if (leaf.role === "option" || value.trim() === "")
    return origin(leaf, { from: "invented", how: "none", spans: [], instructed: 0 }, tracing);
  const isText = leaf.role === "body" || value.length > shortLength;
  return origin(leaf, isText ? traceText(value, tracing) : traceShort(value, leaf.role, tracing), tracing);
}

interface Trace {
  readonly from: OriginKind;
  readonly how: OriginMatch;
  readonly spans: readonly Span[];
  readonly instructed: number;
}

function origin(
  { path, role, value }: ArgumentLeaf,
  { from, how, spans, instructed }: Trace,
  { intent }: Tracing,
): ArgumentOrigin {
  const isNamed =
    intent !== null &&
    tokensOf(normalise(String(value)).replace(/[@._-]+/g, " ")).some(
      (word) => word.length >= 3 && !ordinary.has(word) && intent.words.has(stem(word)),
    );
  return {
    path,
    role,
    from,
    how,
    labels: [...new Set(spans.map((span) => span.source.label))].sort(),
    sources: [...new Set(spans.map((span) => placeOf(span)))].slice(0, 3),
    instructed: from === "trusted" ? 0 : instructed,
    isDelegated: from !== "trusted" && (isNamed || spans.some((span) => isSourceMeant(span, role, intent))),
  };
}

const ordinary: ReadonlySet<string> = new Set(
  "com net org www http https mail email gmail the and for".split(" "),
);

/** A passage with strong signs is nobody's source; nor does a request inside one choose whom to write to when the task says whom. */
function isSourceMeant({ source, instructed }: Span, role: ArgumentRole, intent: TaskIntent | null): boolean {
  if (!source.isDelegated || instructed >= 60) return false;
  return instructed === 0 || role !== "recipient" || intent?.namesPeople !== true;
}

function placeOf({ source, path }: Span): string {
  return `${source.step}${path === "" ? "" : `, ${path}`}`.slice(0, 120);
}

/** A target, name or number: found whole, or made of parts that are found. */
function traceShort(value: string, role: ArgumentRole, tracing: Tracing): Trace {
  const { spans, how } = tracing.labels.find(value);
  if (how !== "none") {
    const from = spans.some((span) => isTrustedLabel(span.source.label)) ? "trusted" : "untrusted-only";
    const mayAccuse =
      !commonRoles.has(role) && (role !== "identifier" || compact(normalise(value)).length >= 4);
    return { from, how, spans, instructed: mayAccuse ? highest(spans) : 0 };
  }
  return traceDerived(value, role, tracing);
}

function highest(spans: readonly Span[]): number {
  return spans.reduce((max, span) => Math.max(max, span.instructed), 0);
}

/** Sums and differences of numbers, and texts put together of pieces. */
function traceDerived(value: string, role: ArgumentRole, { labels }: Tracing): Trace {
  const number = numberOf(normalise(value));
  if (number !== undefined) {
    const pair = findPair(number, labels.numbers());
    if (pair !== undefined) return { from: fromOf(pair), how: "derived", spans: pair, instructed: 0 };
  }
  const packed = compact(normalise(value));
  const tokens = [
    ...new Set(tokensOf(normalise(value)).flatMap((token) => [token, ...token.split(/[@._+~%-]+/)])),
  ].filter((token) => token.length >= 3);
  const found = tokens.map((token) =>
    labels
      .withToken(token)
      .filter((span) => !span.echoes.has(packed))
      .slice(0, 8),
  );
  const known = found.filter((spans) => spans.length > 0);
  if (known.length > 0 && known.length * 2 > tokens.length) {
    const spans = known.map(
      (places) => places.find((span) => isTrustedLabel(span.source.label)) ?? places[0]!,
    );
    // Put together of pieces: the passage only counts when it alone has them.
    const instructed = commonRoles.has(role)
      ? 0
      : Math.max(0, ...known.filter((places) => places.every((span) => span.instructed > 0)).map(highest));
    return { from: fromOf(spans), how: "derived", spans, instructed };
  }
  if (labels.isFull()) return { from: "untrusted-only", how: "none", spans: [], instructed: 0 };
  return { from: "invented", how: "none", spans: [], instructed: 0 };
}

function fromOf(spans: readonly Span[]): OriginKind {
  const trusted = spans.filter((span) => isTrustedLabel(span.source.label)).length;
  if (trusted === spans.length) return "trusted";
  return trusted === 0 ? "untrusted-only" : "mixed";
}

function findPair(wanted: number, numbers: ReadonlyMap<number, Span>): readonly Span[] | undefined {
  for (const [number, span] of numbers) {
    for (const other of [wanted - number, number - wanted]) {
      // Cents make binary fractions: 1100.1 + 100.2.
      const match = numbers.get(Math.round(other * 100) / 100);
      if (match !== undefined && number !== 0 && other !== 0) return [span, match];
    }
  }
  return undefined;
}

/** Words of a text that are looked up; longer texts are known well enough by their first and last. */
const maxWords = 800;

/** A message's body: which part of its words is known from where, and whether it carries what a passage asks to carry. */
function traceText(value: string, tracing: Tracing): Trace {
  const { labels } = tracing;
  const whole = value.length <= 2_000 ? labels.find(value) : undefined;
  if (whole !== undefined && (whole.how === "exact" || whole.how === "normalised")) {
    const isTrusted = whole.spans.some((span) => isTrustedLabel(span.source.label));
    const isTelling = tokensOf(normalise(value)).length >= 4 || marksOf(normalise(value)).length > 0;
    return {
      from: isTrusted ? "trusted" : "untrusted-only",
      how: whole.how,
      spans: whole.spans,
      instructed: isTelling ? highest(whole.spans) : 0,
    };
  }
  const text = normalise(value);
  const all = tokensOf(text);
  const words = all.length <= maxWords ? all : [...all.slice(0, maxWords / 2), ...all.slice(-maxWords / 2)];
  const places = words.map((word) => labels.withToken(word));
  const trusted = share(places, (span) => isTrustedLabel(span.source.label));
  const untrusted = share(places, (span) => !isTrustedLabel(span.source.label));
  const spans = bestSpans(places);
  const instructed = carried(text, words, labels);
  if (trusted >= 0.8 && instructed === 0) return { from: "trusted", how: "contained", spans, instructed };
  if (untrusted >= 0.8 && trusted < 0.5)
    return { from: "untrusted-only", how: "contained", spans, instructed };
  if (untrusted >= 0.3) return { from: "mixed", how: "contained", spans, instructed };
  return { from: "invented", how: "none", spans: [], instructed };
}

function share(places: readonly (readonly Span[])[], test: (span: Span) => boolean): number {
  return places.length === 0 ? 0 : places.filter((spans) => spans.some(test)).length / places.length;
}

/** The spans that share most words with the text. */
function bestSpans(places: readonly (readonly Span[])[]): readonly Span[] {
  const counts = new Map<Span, number>();
  for (const spans of places)
    for (const span of spans.slice(0, 16)) counts.set(span, (counts.get(span) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([span]) => span);
}

/** Addresses, accounts and long numbers: one of these from a passage is enough to know it by. */
function marksOf(text: string): readonly string[] {
  return tokensOf(text).filter(
    (token) => (/@./.test(token) || /\.[a-z]{2,}/.test(token) || /\d/.test(token)) && token.length >= 8,
  );
}

/** The highest score of a passage whose marks, or five of whose words in a row, stand in the text and nowhere else. */
function carried(text: string, words: readonly string[], labels: Labels): number {
  const passages = labels.passages();
  if (passages.length === 0) return 0;
  let score = 0;
  const isElsewhere = (piece: string, token: string): boolean =>
    labels.withToken(token).some((span) => span.instructed === 0 && holds(span.text, piece));
  for (const mark of marksOf(text)) {
    const inPassage = highest(labels.withToken(mark));
    if (inPassage > score && !isElsewhere(mark, mark)) score = inPassage;
  }
  for (let at = 0; at + runLength <= words.length; at += 1) {
    const inPassage = highest(labels.withToken(words[at]!));
    if (inPassage <= score) continue;
    const run = words.slice(at, at + runLength);
    const piece = run.join(" ");
    const holder = passages.find((span) => span.instructed > score && span.text.includes(piece));
    if (holder !== undefined && !isElsewhere(piece, run[0]!)) score = holder.instructed;
  }
  return score;
}
