/** The `triggers` section of a workflow file: what starts runs of it once it is registered. */
import type { JsonObject } from "../base/canonical-json.ts";
import { durationForm } from "../base/duration.ts";
import type { FindingCollector } from "../base/finding.ts";
import { suggestName } from "../base/nearest.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode } from "../base/yaml-source.ts";
import type { YamlNode } from "../base/yaml-source.ts";
import { missedPolicies } from "../queue/schedule.ts";
import { choice, closedMap, schemaParts } from "./schema-parts.ts";
import { literal, readDuration, readValue } from "./step-parts.ts";
import { signalNamePattern } from "./wait-kind.ts";
import type { Trigger } from "./workflow.ts";

type TriggerKind = Trigger["kind"];

const missed = choice(...missedPolicies);
const triggerName: JsonObject = { type: "string", pattern: signalNamePattern.source, maxLength: 64 };
const commonKeys: Readonly<Record<string, JsonObject>> = { inputs: schemaParts.map };

/** Keys of each kind of trigger with their JSON Schema; the key that names the kind is the first. */
const triggerKinds: Readonly<Record<TriggerKind, Readonly<Record<string, JsonObject>>>> = {
  cron: { cron: schemaParts.text, name: triggerName, timezone: schemaParts.text, missed, ...commonKeys },
  interval: { interval: schemaParts.duration, name: triggerName, missed, ...commonKeys },
  webhook: { webhook: triggerName, auth: choice("signature", "bearer"), ...commonKeys },
};

const kinds = Object.keys(triggerKinds) as TriggerKind[];

export const triggersSchema: JsonObject = {
  type: "array",
  maxItems: 20,
  items: { anyOf: kinds.map((kind) => closedMap(triggerKinds[kind], [kind])) },
};

const mostTriggers = 20;
/** Shorter ones would be a loop, not a schedule. */
const leastIntervalMs = 1_000;

/** Mistakes are reported. Whether a cron expression names times is checked where the clockwork is. */
export function readTriggers(field: YamlField | undefined, collector: FindingCollector): readonly Trigger[] {
  if (field === undefined) return [];
  const { node, at, path } = field;
  if (node.kind !== "list" || node.items.length > mostTriggers) {
    const found = node.kind === "list" ? `${node.items.length} of them` : describeNode(node);
    collector.error(at, path, `expected a list of at most ${mostTriggers} triggers, found ${found}`);
    return [];
  }
  const triggers = node.items.flatMap(
    (item, index) => readTrigger(item, { path: `${path}[${index}]`, index }, collector) ?? [],
  );
  const seen = new Set<string>();
  for (const { name, place } of triggers) {
    if (seen.has(name)) collector.error(place, place.path, `the trigger name \`${name}\` is used twice`);
    seen.add(name);
  }
  return triggers;
}

function readTrigger(
  node: YamlNode,
  { path, index }: { readonly path: string; readonly index: number },
  collector: FindingCollector,
): Trigger | undefined {
  const keys = node.kind === "map" ? node.entries.map(({ key }) => key) : [];
  const [kind, second] = kinds.filter((each) => keys.includes(each));
  if (kind === undefined || second !== undefined) {
    const hint = keys[0] === undefined ? undefined : suggestName(keys[0], kinds);
    collector.error(node.at, path, `a trigger has exactly one of ${kinds.join(", ")}`, hint);
    return undefined;
  }
  const fields = readFields(node, Object.keys(triggerKinds[kind]), { path, collector });
  if (fields === undefined) return undefined;
  const inputs = fields.field("inputs");
  if (inputs !== undefined && inputs.node.kind !== "map")
    collector.error(inputs.at, inputs.path, `expected a map of inputs, found ${describeNode(inputs.node)}`);
  const base = {
    name: readName(
      fields,
      { key: kind === "webhook" ? "webhook" : "name", byDefault: `${kind}-${index + 1}` },
      collector,
    ),
    inputs: inputs === undefined ? literal({}) : readValue(inputs.node, inputs.path, collector),
    place: { ...node.at, path },
  };
  switch (kind) {
    case "cron":
      return { ...base, kind, ...readCron(fields, collector), missed: readMissed(fields) };
    case "interval":
      return { ...base, kind, everyMs: readInterval(fields, collector), missed: readMissed(fields) };
    case "webhook":
      return { ...base, kind, auth: fields.choice("auth", ["signature", "bearer"]) ?? "signature" };
  }
}

function readMissed(fields: YamlFields) {
  return fields.choice("missed", missedPolicies) ?? "once";
}

function readName(
  fields: YamlFields,
  { key, byDefault }: { readonly key: "webhook" | "name"; readonly byDefault: string },
  collector: FindingCollector,
): string {
  const name = fields.text(key) ?? byDefault;
  // The secret of a webhook is called `hook-NAME`, and a secret's name has 64 characters.
  if (name.length > (key === "webhook" ? 58 : 64) || !signalNamePattern.test(name)) {
    const at = fields.field(key)?.at ?? fields.at;
    const problem = `${JSON.stringify(name.slice(0, 80))} is no name of a trigger`;
    collector.error(at, `${fields.path}.${key}`, problem, "small letters, digits, - and _");
  }
  return name;
}

function readCron(fields: YamlFields, collector: FindingCollector) {
  const expression = (fields.text("cron") ?? "").trim();
  const at = fields.field("cron")?.at ?? fields.at;
  if (!/^(@(yearly|annually|monthly|weekly|daily|hourly)|\S+(\s+\S+){4,5})$/.test(expression)) {
    const hint = 'five fields: minute hour day month weekday, for example "0 9 * * 1-5"';
    collector.error(at, `${fields.path}.cron`, `${JSON.stringify(expression.slice(0, 80))} is no cron`, hint);
  }
  const timezone = fields.text("timezone") ?? "UTC";
  if (!isTimezone(timezone)) {
    const place = fields.field("timezone")?.at ?? fields.at;
    const problem = `there is no time zone ${JSON.stringify(timezone.slice(0, 80))}`;
    collector.error(place, `${fields.path}.timezone`, problem, "an IANA name such as Europe/Berlin");
  }
  return { expression, timezone };
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // The constructor's refusal is the answer.
    return false;
  }
}

function readInterval(fields: YamlFields, collector: FindingCollector): number {
  const everyMs = readDuration(fields, "interval", collector) ?? leastIntervalMs;
  if (everyMs >= leastIntervalMs) return everyMs;
  const field = fields.field("interval");
  collector.error(
    field?.at ?? fields.at,
    `${fields.path}.interval`,
    `expected at least 1s, as ${durationForm}`,
  );
  return leastIntervalMs;
}
