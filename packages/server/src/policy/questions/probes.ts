/** Makes up requests that reach a policy's rules and their edges, to compare two policies by example. Pure. */
import type { JsonValue } from "../../base/canonical-json.ts";
import type { Glob } from "../../base/glob.ts";
import type { ActionRequest } from "../rules/decision.ts";
import type { Condition, PolicyRule, Target } from "../rules/policy.ts";
import { isInWindow } from "../rules/time-window.ts";
import type { TimeWindow } from "../rules/time-window.ts";

/** For each rule a request that should match it, one beside its resource, and one with an argument that fails. */
export function makeProbes(rules: readonly PolicyRule[]): readonly ActionRequest[] {
  const probes = new Map<string, ActionRequest>();
  const places = [...new Set(rules.flatMap(({ resources }) => resources.map(sample)))].slice(0, mostPlaces);
  for (const rule of rules) {
    for (const probe of probesOf(rule, places)) probes.set(JSON.stringify(probe), probe);
  }
  return [...probes.values()];
}

/** A rule about any resource is tried on those that other rules name. */
const mostPlaces = 12;

function probesOf(rule: PolicyRule, places: readonly string[]): readonly ActionRequest[] {
  const resources = rule.resources.length === 0 ? ["workspace/probe", ...places] : rule.resources.map(sample);
  const found = rule.actions.flatMap((name) =>
    resources.map((resource): ActionRequest => {
      const target = rule.targets[0];
      return {
        action: name === "*" ? "probe.any" : name.includes(".") ? name : `${name}.probe`,
        resource: target === undefined ? resource : sampleTarget(target),
        args: argsFor(rule.conditions),
        labels: rule.labelsAny.slice(0, 1),
        agent: first(rule.scope.agent, "workflow:probe"),
        role: first(rule.scope.role, "operator"),
        tenant: first(rule.scope.tenant, "default"),
        user: first(rule.scope.user ?? [], "user:probe"),
        atMs: rule.window === undefined ? noon : timeIn(rule.window),
      };
    }),
  );
  return found.flatMap((probe) => [
    probe,
    { ...probe, resource: `${probe.resource}x` },
    ...(rule.conditions.length === 0 ? [] : [{ ...probe, args: {} }]),
    { ...probe, labels: [] },
    { ...probe, agent: "workflow:probe", role: "operator", tenant: "default", user: "user:probe" },
  ]);
}

/** A Wednesday, UTC. */
const noon = Date.UTC(2026, 0, 7, 12);

/** A time at which the rule speaks; noon when none is found within two weeks. */
function timeIn(window: TimeWindow): number {
  const from = window.notBeforeMs ?? (window.notAfterMs ?? noon) - 14 * 86_400_000;
  for (let step = 0; step < 14 * 96; step++) {
    const atMs = from + step * 900_000;
    if (isInWindow(window, atMs)) return atMs;
  }
  return noon;
}

function first(globs: readonly Glob[], otherwise: string): string {
  return globs[0] === undefined ? otherwise : sample(globs[0]);
}

function sampleTarget({ source, glob }: Target): string {
  return glob === null ? source : sample(glob);
}

/** A text that the glob matches, in most cases: sets and escapes are taken at their first sign. */
export function sample(glob: Glob): string {
  const [alternative] = glob.alternatives;
  const segments = alternative!.segments.flatMap((segment): readonly string[] => {
    if (segment.kind === "literal") return [segment.text];
    if (segment.kind === "deep") return ["probe"];
    return [
      segment.tokens
        .map((token) =>
          token.kind === "unit" ? String.fromCharCode(token.unit) : token.kind === "run" ? "" : "p",
        )
        .join(""),
    ];
  });
  return segments.join("/");
}

function argsFor(conditions: readonly Condition[]): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const condition of conditions) put(args, condition.path, valueFor(condition));
  return args;
}

function put(place: Record<string, unknown>, path: Condition["path"], value: unknown): void {
  let into: Record<string | number, unknown> = place;
  for (const [index, step] of path.entries()) {
    const key = typeof step === "object" ? 0 : step;
    if (index === path.length - 1) {
      into[key] = value;
      return;
    }
    const next = path[index + 1];
    // An array takes number keys as an object does.
    into[key] ??= typeof next === "string" ? {} : [];
    into = into[key] as Record<string | number, unknown>;
  }
}

/** A value with which the condition holds. */
function valueFor({ op, value, glob }: Condition): unknown {
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [];
  switch (op) {
    case "eq":
    case "lte":
    case "gte":
    case "starts_with":
    case "ends_with":
    case "contains":
    case "under":
      return value;
    case "ne":
    case "not_matches":
    case "not_contains":
    case "not_under":
      return typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : "another";
    case "in":
    case "between":
      return list[0];
    case "not_in":
      return typeof list[0] === "number" ? Number.MAX_SAFE_INTEGER : "another";
    case "lt":
      return (value as number) - 1;
    case "gt":
      return (value as number) + 1;
    case "longer_than":
      return "x".repeat(Math.min(100_000, (value as number) + 1));
    case "matches":
      return sample(glob!);
    case "contains_any":
    case "subset_of":
      return list.slice(0, 1);
    case "before":
      return "1970-01-01T00:00:00Z";
    case "after":
      return "9999-01-01T00:00:00Z";
    case "exists":
      return value === true ? "there" : undefined;
  }
}
