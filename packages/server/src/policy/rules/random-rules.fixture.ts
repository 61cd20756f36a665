/** Random rules and requests for property tests of policy, and the judge that the index is compared with. */
import fc from "fast-check";
import { compileGlob, matchesGlob } from "../../base/glob.ts";
import type { Glob } from "../../base/glob.ts";
import { testCondition } from "./condition.ts";
import type { ActionRequest, OriginLabel } from "./decision.ts";
import { findTarget } from "./target.ts";
import type { PolicyRule } from "./policy.ts";

export const glob = (source: string): Glob => {
  const result = compileGlob(source);
  if (!result.ok) throw new Error(result.problem);
  return result.glob;
};

const segment = fc.constantFrom("a", "b", "c.png", "d.txt", "", "stale");
const wild = fc.constantFrom("a", "b", "**", "*", "*.png", "?.*", "stale", "", "{a,b}", "c*");
export const resources = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
export const patterns = fc
  .array(wild, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"))
  .filter((pattern) => pattern !== "")
  .map(glob);
export const actions = fc.constantFrom("t.a", "t.b", "u.a", "u", "t.a.x");
export const labels = fc.subarray<OriginLabel>(["user", "web", "file"]);

export const demands: fc.Arbitrary<PolicyRule["demands"]> = fc.record(
  {
    sandbox: fc.constantFrom("none", "standard", "full"),
    timeoutMs: fc.integer({ min: 1, max: 9 }),
    redact: fc.constant(true),
    rate: fc.record({ count: fc.integer({ min: 1, max: 3 }), perMs: fc.integer({ min: 1, max: 3 }) }),
    approval: fc.record({ by: fc.subarray(["x", "y", "z"], { minLength: 1 }), quorum: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
); // prettier-ignore

export const ruleBody = fc.record({
  effect: fc.constantFrom("allow", "ask", "deny"),
  actions: fc.uniqueArray(fc.constantFrom("*", "t", "t.a", "t.b", "u", "u.a"), { minLength: 1, maxLength: 3 }),
  resources: fc.array(patterns, { maxLength: 3 }),
  except: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(patterns, { maxLength: 1 }) }),
  targets: fc.constantFrom<PolicyRule["targets"]>([], [], [], [{ source: "stale", glob: null }]),
  conditions: fc.constantFrom<PolicyRule["conditions"]>(
    [],
    [],
    [{ arg: "n", path: ["n"], op: "gt", value: 1, glob: null }],
    [{ arg: "m", path: ["m"], op: "eq", value: "x", glob: null }],
  ),
  labelsAny: labels,
  scope: fc.record({
    agent: fc.constantFrom<readonly Glob[]>([], [], [glob("agent*")]),
    role: fc.constantFrom<readonly Glob[]>([], [], [glob("admin")]),
    tenant: fc.constant<readonly Glob[]>([]),
  }),
  risk: fc.constantFrom("low", "medium", "high"),
  demands,
}); // prettier-ignore

/** Names are unique and say nothing about the order in the file. */
export const ruleSets: fc.Arbitrary<readonly PolicyRule[]> = fc.array(ruleBody, { maxLength: 12 }).map((bodies) =>
  bodies.map((body, index) => ({ ...body, name: `r${(index * 7) % 13}`, description: null, line: index + 1 })),
); // prettier-ignore

export const requests: fc.Arbitrary<ActionRequest> = fc.record({
  action: actions,
  resource: resources,
  args: fc.constantFrom<ActionRequest["args"]>(
    {},
    { n: 2 },
    { n: 1, m: "x" },
    { n: "2", m: "y" },
    { p: ["stale"] },
  ),
  labels,
  agent: fc.constantFrom("agent1", "other"),
  role: fc.constantFrom("admin", "viewer"),
  tenant: fc.constant("default"),
});

/** What the documentation says, one rule after the other. */
export function isMatch(rule: PolicyRule, request: ActionRequest): boolean {
  const isOf = (globs: readonly Glob[], text: string): boolean =>
    globs.length === 0 || globs.some((each) => matchesGlob(each, text));
  const results = rule.conditions.map((condition) => testCondition(condition, request.args));
  return (
    rule.actions.some((name) => name === "*" || `${request.action}.`.startsWith(`${name}.`)) &&
    isOf(rule.resources, request.resource) &&
    !rule.except.some((each) => matchesGlob(each, request.resource)) &&
    (rule.targets.length === 0 || findTarget(rule.targets, request) !== undefined) &&
    !results.includes(false) &&
    (rule.effect !== "allow" || results.every((result) => result === true)) &&
    (rule.labelsAny.length === 0 || rule.labelsAny.some((label) => request.labels.includes(label))) &&
    isOf(rule.scope.agent, request.agent) &&
    isOf(rule.scope.role, request.role) &&
    isOf(rule.scope.tenant, request.tenant)
  );
}

export const strictness = { allow: 0, ask: 1, deny: 2 } as const;
