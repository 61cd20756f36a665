import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGlob, matchesGlob } from "../base/glob.ts";
import type { Glob } from "../base/glob.ts";
import { compilePolicy } from "./compile.ts";
import { testCondition } from "./condition.ts";
import { decide } from "./decide.ts";
import type { ActionRequest, Decision, OriginLabel } from "./decision.ts";
import { findTarget } from "./target.ts";
import type { Policy, PolicyRule } from "./policy.ts";

const glob = (source: string): Glob => {
  const result = compileGlob(source);
  if (!result.ok) throw new Error(result.problem);
  return result.glob;
};

const segment = fc.constantFrom("a", "b", "c.png", "d.txt", "", "stale");
const wild = fc.constantFrom("a", "b", "**", "*", "*.png", "?.*", "stale", "", "{a,b}", "c*");
const resources = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const patterns = fc
  .array(wild, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"))
  .filter((pattern) => pattern !== "")
  .map(glob);
const actions = fc.constantFrom("t.a", "t.b", "u.a", "u", "t.a.x");
const labels = fc.subarray<OriginLabel>(["user", "web", "file"]);

const demands: fc.Arbitrary<PolicyRule["demands"]> = fc.record(
  {
    sandbox: fc.constantFrom("none", "standard", "full"),
    timeoutMs: fc.integer({ min: 1, max: 9 }),
    redact: fc.constant(true),
    rate: fc.record({ count: fc.integer({ min: 1, max: 3 }), perMs: fc.integer({ min: 1, max: 3 }) }),
    approval: fc.record({ by: fc.subarray(["x", "y", "z"], { minLength: 1 }), quorum: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
); // prettier-ignore

const ruleBody = fc.record({
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
const ruleSets: fc.Arbitrary<readonly PolicyRule[]> = fc.array(ruleBody, { maxLength: 12 }).map((bodies) =>
  bodies.map((body, index) => ({ ...body, name: `r${(index * 7) % 13}`, description: null, line: index + 1 })),
); // prettier-ignore

const requests: fc.Arbitrary<ActionRequest> = fc.record({
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

function policyOf(rules: readonly PolicyRule[]): Policy {
  return { version: 1, rules, revision: "sha256:test" };
}

function judge(rules: readonly PolicyRule[], request: ActionRequest): Decision {
  return decide(compilePolicy(policyOf(rules)), request);
}

/** What the documentation says, one rule after the other. */
function isMatch(rule: PolicyRule, request: ActionRequest): boolean {
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

const strictness = { allow: 0, ask: 1, deny: 2 } as const;
const runs = { numRuns: 3_000 };

describe("decide", () => {
  test("the index finds what a scan of all rules finds", () => {
    fc.assert(
      fc.property(ruleSets, requests, (rules, request) => {
        const expected = rules.filter((rule) => isMatch(rule, request));
        const decision = judge(rules, request);
        expect(decision.matched.map((rule) => rule.name).sort()).toEqual(
          expected.map((rule) => rule.name).sort(),
        );
        const strictest = expected
          .map((rule) => strictness[rule.effect])
          .reduce((a, b) => Math.max(a, b), -1);
        const isNobody = decision.reason.includes("nobody may answer");
        expect(strictness[decision.effect]).toBe(strictest < 0 || isNobody ? 2 : strictest);
      }),
      runs,
    );
  });

  test("the order of the rules never matters", () => {
    fc.assert(
      fc.property(ruleSets, requests, fc.nat(), (rules, request, seed) => {
        const shuffled = rules
          .map((rule, index) => ({ rule, key: ((index + 1) * (seed + 7919)) % 104_729 }))
          .sort((a, b) => a.key - b.key)
          .map(({ rule }) => rule);
        expect(judge(shuffled, request)).toEqual(judge(rules, request));
      }),
      runs,
    );
  });

  test("adding a deny or an ask rule never allows more, and never demands less", () => {
    fc.assert(
      fc.property(ruleSets, ruleBody, requests, (rules, body, request) => {
        const before = judge(rules, request);
        const extra: PolicyRule = { ...body, name: "extra", description: null, line: 99 };
        const after = judge([...rules, extra], request);
        if (extra.effect === "deny")
          expect(strictness[after.effect]).toBeGreaterThanOrEqual(strictness[before.effect]);
        // Whatever the extra rule: where another rule spoke before, nothing becomes softer.
        if (before.matched.length === 0) return;
        expect(strictness[after.effect]).toBeGreaterThanOrEqual(strictness[before.effect]);
        if (after.effect !== before.effect) return;
        expect(after.obligations.timeoutMs ?? Infinity).toBeLessThanOrEqual(
          before.obligations.timeoutMs ?? Infinity,
        );
        expect(after.obligations.approval?.quorum ?? 0).toBeGreaterThanOrEqual(
          before.obligations.approval?.quorum ?? 0,
        );
        if (before.obligations.redact === true && after.effect !== "deny")
          expect(after.obligations.redact).toBe(true);
      }),
      runs,
    );
  });

  test("a rule narrowed to a scope never softens what holds for everybody", () => {
    fc.assert(
      fc.property(ruleSets, ruleBody, requests, (rules, body, request) => {
        const everybody = rules.filter((rule) => rule.scope.agent.length + rule.scope.role.length === 0);
        const before = judge(everybody, request);
        const narrow: PolicyRule = {
          ...body,
          name: "narrow",
          description: null,
          line: 99,
          scope: { agent: [], role: [glob("admin")], tenant: [] },
        };
        const after = judge([...everybody, narrow], request);
        if (before.matched.length > 0)
          expect(strictness[after.effect]).toBeGreaterThanOrEqual(strictness[before.effect]);
      }),
      runs,
    );
  });

  test("the same question has the same answer, and the answer is plain data", () => {
    fc.assert(
      fc.property(ruleSets, requests, (rules, request) => {
        const compiled = compilePolicy(policyOf(rules));
        const decision = decide(compiled, request);
        expect(decide(compiled, request)).toEqual(decision);
        expect(structuredClone(decision)).toEqual(decision);
      }),
    );
  });
});
