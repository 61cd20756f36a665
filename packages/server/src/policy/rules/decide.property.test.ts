import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import type { Policy, PolicyRule } from "./policy.ts";
import { glob, isMatch, requests, ruleBody, ruleSets, strictness } from "./random-rules.fixture.ts";

function policyOf(rules: readonly PolicyRule[]): Policy {
  return { version: 1, rules, revision: "sha256:test" };
}

function judge(rules: readonly PolicyRule[], request: ActionRequest): Decision {
  return decide(compilePolicy(policyOf(rules)), request);
}

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
