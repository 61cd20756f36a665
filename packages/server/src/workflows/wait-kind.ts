/** The kind of step that waits: for a while, until a time, or for a signal from outside. */
import type { JsonObject } from "../base/canonical-json.ts";
import { durationForm, parseDuration } from "../base/duration.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode } from "../base/yaml-source.ts";
import { choice, closedMap, schemaParts } from "./schema-parts.ts";
import { literal, readDuration, readValue } from "./step-parts.ts";
import { readRoles } from "./step-reading.ts";
import type { Own, StepKindRow, StepReading } from "./step-reading.ts";
import type { SignalWait, TimeWait, WaitStep } from "./workflow.ts";
import { readInputs } from "./workflow-inputs.ts";

/** What a signal may be called; it stands in an address. */
export const signalNamePattern: RegExp = /^[a-z0-9]+([-_][a-z0-9]+)*$/;

const signalKeys: Readonly<Record<string, JsonObject>> = {
  signal: { type: "string", pattern: signalNamePattern.source, maxLength: 64 },
  timeout: schemaParts.duration,
  on_timeout: choice("fail", "skip"),
  by: schemaParts.roles,
  payload: schemaParts.inputs,
};

export const waitKind: StepKindRow = {
  main: {
    anyOf: [
      closedMap({ for: schemaParts.durationValue }, ["for"]),
      closedMap({ until: schemaParts.timeValue }, ["until"]),
      closedMap(signalKeys, ["signal"]),
    ],
  },
  keys: {},
  read: readWait,
};

function readWait(_fields: YamlFields, main: YamlField, { collector }: StepReading): Own<WaitStep> {
  const isSignal = main.node.kind === "map" && main.node.entries.some(({ key }) => key === "signal");
  const known = isSignal ? Object.keys(signalKeys) : ["for", "until", "signal"];
  const fields = readFields(main.node, known, { path: main.path, collector });
  if (fields === undefined) return { kind: "wait", wait: { kind: "for", value: literal("0s") } };
  const wait = isSignal ? readSignal(fields, collector) : readTime(fields, main, collector);
  return { kind: "wait", wait };
}

function readTime(fields: YamlFields, main: YamlField, collector: StepReading["collector"]): TimeWait {
  const given = fields.field("for") ?? fields.field("until");
  const kind = fields.field("for") === undefined ? "until" : "for";
  if (fields.keys().length !== 1) {
    const hint = "`wait: { for: 30s }`";
    collector.error(main.at, main.path, "a wait has either `for`, `until` or `signal`", hint);
  }
  if (given === undefined) return { kind: "for", value: literal("0s") };
  const value = readValue(given.node, given.path, collector);
  if (value.kind !== "template") {
    const text = value.kind === "literal" && typeof value.value === "string" ? value.value : "";
    const isGood = kind === "for" ? parseDuration(text) !== undefined : isTime(text);
    const wanted = kind === "for" ? durationForm : "a time such as 2026-01-31T09:00:00Z";
    if (!isGood)
      collector.error(given.at, given.path, `expected ${wanted}, found ${describeNode(given.node)}`);
  }
  return { kind, value };
}

function readSignal(fields: YamlFields, collector: StepReading["collector"]): SignalWait {
  const name = fields.text("signal") ?? "";
  const at = fields.field("signal")?.at ?? fields.at;
  if (name !== "" && (name.length > 64 || !signalNamePattern.test(name))) {
    const problem = `${JSON.stringify(name.slice(0, 80))} is no name of a signal`;
    collector.error(at, `${fields.path}.signal`, problem, "small letters, digits, - and _; no expressions");
  }
  const payload = fields.field("payload");
  return {
    kind: "signal",
    name,
    timeoutMs: readDuration(fields, "timeout", collector) ?? null,
    onTimeout: fields.choice("on_timeout", ["fail", "skip"]) ?? "fail",
    by: readRoles(fields, collector) ?? null,
    payload: payload === undefined ? null : readInputs(payload, collector),
  };
}

/** ISO 8601 with seconds and an offset: without one the meaning would depend on the machine. */
export function isTime(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}
