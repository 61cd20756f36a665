/** Reads `when` of a rule: days, hours with their time zone, and dates. */
import type { FindingCollector } from "../../base/finding.ts";
import { suggestName } from "../../base/nearest.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import { describeNode } from "../../base/yaml-source.ts";
import { createLocalTime, parseInstant, weekdays } from "../rules/time-window.ts";
import type { TimeWindow, Weekday } from "../rules/time-window.ts";

export const windowKeys = ["days", "from", "to", "zone", "not_before", "not_after"] as const;

export function readWindow(
  field: YamlField | undefined,
  collector: FindingCollector,
): TimeWindow | undefined {
  const fields = field && readFields(field.node, windowKeys, { path: field.path, collector });
  if (field === undefined || fields === undefined) return undefined;
  if (field.node.kind === "map" && field.node.entries.every(({ key }) => key === "zone")) {
    const hint = "for example `when: { days: [mon-fri], from: 09:00, to: 17:00, zone: Europe/Berlin }`";
    collector.error(field.at, field.path, "no time is given", hint);
  }
  const days = readDays(fields, collector);
  const hours = readHours(fields, collector);
  const zone = fields.text("zone") ?? "UTC";
  const localTime = createLocalTime(zone);
  if (localTime === undefined) {
    const { at, path } = fields.field("zone")!;
    const hint = "a name of the IANA time zone database, such as Europe/Berlin or UTC";
    collector.error(at, path, `${JSON.stringify(zone.slice(0, 80))} is no known time zone`, hint);
    return undefined;
  }
  const notBefore = readInstant(fields, "not_before", collector);
  const notAfter = readInstant(fields, "not_after", collector);
  if (notBefore !== undefined && notAfter !== undefined && notBefore >= notAfter) {
    const { at, path } = fields.field("not_after")!;
    collector.error(at, path, "`not_after` is not after `not_before`, so the rule would never speak");
  }
  const text = describe(fields, { days, hours, zone });
  return { text, days, hours, notBeforeMs: notBefore ?? null, notAfterMs: notAfter ?? null, localTime };
}

function describe(
  fields: YamlFields,
  { days, hours, zone }: Pick<TimeWindow, "days" | "hours"> & { readonly zone: string },
): string {
  const clock = (minutes: number): string =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const parts = [
    ...(days === null ? [] : [`on ${[...days].join(", ")}`]),
    ...(hours === null ? [] : [`from ${clock(hours.from)} to ${clock(hours.to)}`]),
    ...(days === null && hours === null ? [] : [zone]),
    ...(["not_before", "not_after"] as const).flatMap((key) =>
      fields.field(key) === undefined ? [] : [`${key.replace("_", " ")} ${fields.text(key)}`],
    ),
  ];
  return parts.join(" ");
}

/** `mon`, or `mon-fri`, which may go over the end of the week. */
function readDays(fields: YamlFields, collector: FindingCollector): ReadonlySet<Weekday> | null {
  const field = fields.field("days");
  if (field === undefined) return null;
  const days = (fields.texts("days") ?? []).flatMap((text): readonly Weekday[] => {
    const [from = "", to = from, ...rest] = text.split("-");
    const [first, last] = [from, to].map((name) => weekdays.findIndex((day) => day === name));
    if (first === undefined || last === undefined || first < 0 || last < 0 || rest.length > 0) {
      const problem = `${JSON.stringify(text.slice(0, 80))} is no day`;
      collector.error(field.at, field.path, problem, suggestName(text, weekdays));
      return [];
    }
    const count = ((last - first + 7) % 7) + 1;
    return Array.from({ length: count }, (_, index) => weekdays[(first + index) % 7]!);
  });
  if (field.node.kind === "list" && field.node.items.length === 0)
    collector.error(field.at, field.path, "the list is empty", "leave the key out");
  return new Set(days);
}

function readHours(fields: YamlFields, collector: FindingCollector): TimeWindow["hours"] {
  if (fields.field("from") === undefined && fields.field("to") === undefined) return null;
  const from = readTimeOfDay(fields.require("from", "`from` and `to` come together"), collector);
  const to = readTimeOfDay(fields.require("to", "`from` and `to` come together"), collector);
  if (from === undefined || to === undefined) return null;
  if (from === to) {
    const { at, path } = fields.field("to")!;
    collector.error(at, path, "`from` and `to` are the same time", "leave both out for the whole day");
  }
  return { from, to };
}

function readTimeOfDay(field: YamlField | undefined, collector: FindingCollector): number | undefined {
  if (field === undefined) return undefined;
  const value = field.node.kind === "scalar" ? field.node.value : undefined;
  const match = typeof value === "string" ? /^([01]\d|2[0-3]):([0-5]\d)$|^(24):(00)$/.exec(value) : null;
  if (match === null) {
    const found = `expected a time such as 09:00, found ${describeNode(field.node)}`;
    collector.error(field.at, field.path, found, 'with two digits for the hour: "09:00"');
    return undefined;
  }
  return Number(match[1] ?? match[3]) * 60 + Number(match[2] ?? match[4]);
}

function readInstant(
  fields: YamlFields,
  key: "not_before" | "not_after",
  collector: FindingCollector,
): number | undefined {
  const text = fields.text(key);
  if (text === undefined) return undefined;
  const atMs = parseInstant(text);
  if (atMs !== undefined) return atMs;
  const { at, path } = fields.field(key)!;
  const hint = 'for example "2026-12-31T23:59:00Z"';
  collector.error(at, path, `${JSON.stringify(text.slice(0, 80))} is no date with time and zone`, hint);
  return undefined;
}
