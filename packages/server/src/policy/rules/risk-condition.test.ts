import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActionFlow, ArgumentOrigin } from "./argument-origin.ts";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import { findNearMisses, partsMissed } from "../questions/misses.ts";
import { diffPolicies } from "../questions/policy-diff.ts";
import { parsePolicy, requirePolicy } from "../file/policy-file.ts";

const policyOf = (...rules: readonly string[]) =>
  requirePolicy(`version: 1\nrules:\n${rules.map((rule) => `  - { ${rule} }\n`).join("")}`);
const decideBy = (request: ActionRequest, ...rules: readonly string[]): Decision =>
  decide(compilePolicy(policyOf(...rules)), request);

const flow: ActionFlow = { arguments: [], history: [], isEffect: true, isRequested: null, newTargets: 0 };
const request: ActionRequest = {
  action: "mail.send",
  resource: "mail",
  args: {},
  labels: [],
  agent: "a",
  role: "admin",
  tenant: "default",
  flow,
};
/** 15 for what the task does not ask for, 10 for the new target. */
const risky: ActionRequest = { ...request, flow: { ...flow, isRequested: false, newTargets: 1 } };

const lets = "name: lets, effect: allow, action: mail";
const asks = "name: asks, effect: ask, action: mail, risk_score: { from: 25 }";
const careful = "name: careful, effect: allow, action: mail, risk_score: { up_to: 10 }";

describe("rules about the risk score", () => {
  test("match from so much on, or up to so much, and say what the score is made of", () => {
    expect(decideBy(request, lets, asks).effect).toBe("allow");
    const asked = decideBy(risky, lets, asks);
    expect(asked.effect).toBe("ask");
    expect(asked.reason).toContain(
      "risk score from 25 on, score 25: not what the task asks for 15, a target not used before 10",
    );
    expect(decideBy(risky, lets, asks.replace("25", "26")).effect).toBe("allow");
    expect(decideBy(request, careful)).toMatchObject({ effect: "allow", matched: [{ name: "careful" }] });
    expect(decideBy(request, careful).reason).toContain("risk score up to 10, score 0");
    const newTarget = { ...request, flow: { ...flow, newTargets: 1 } };
    expect(decideBy(newTarget, careful).effect).toBe("allow");
    expect(decideBy(risky, careful).effect).toBe("deny");
  });

  test("see the action's own score: what rules add to the risk moves none of them", () => {
    const high = "name: high, effect: allow, action: mail, risk: high";
    const decision = decideBy(risky, lets, high, asks.replace("25", "26"));
    expect(decision).toMatchObject({ effect: "allow", score: { value: 55 } });
  });

  test("of an action nobody traced see what its arguments say, and let nothing pass", () => {
    const { flow: _, ...untraced } = { ...request, args: { command: "rm -r x/*" } };
    expect(decideBy(untraced, lets, asks).effect).toBe("ask");
    expect(decideBy({ ...untraced, args: {} }, careful).effect).toBe("deny");
  });

  test("tell what stood in the way, and that they were changed", () => {
    const policy = policyOf(asks, careful);
    const missedBy = (each: ActionRequest) =>
      findNearMisses(compilePolicy(policy), each).flatMap(({ missed }) => missed);
    expect(missedBy(request)).toEqual(["risk score from 25 on: it is 0"]);
    expect(missedBy(risky)).toEqual(["risk score up to 10: it is 25"]);
    const { flow: _, ...untraced } = request;
    expect(missedBy(untraced)).toContain("risk score up to 10: nobody traced where the arguments came from");
    const changes = JSON.stringify(diffPolicies(policyOf(asks), policyOf(asks.replace("25", "40"))));
    expect(changes).toContain("risk score from 40 on");
  });

  test.each([
    ["effect: ask, risk_score: { up_to: 20 }", /3:.*`up_to` is not for a rule with `effect: ask`.*must not ask less/],
    ["effect: deny, risk_score: { from: 5, up_to: 20 }", /3:.*`up_to` is not for a rule with `effect: deny`/],
    ["effect: allow, risk_score: { from: 20 }", /3:.*`from` is not for a rule with `effect: allow`.*must not allow more/],
    ["effect: allow, risk_score: {}", /3:.*no score is given.*up_to: 20/],
    ["effect: ask, risk_score: 50", /3:.*expected a map, found the number 50/],
    ["effect: ask, risk_score: { from: 101 }", /3:.*expected a whole number from 1 to 100/],
    ["effect: ask, risk_score: { above: 10 }", /3:.*above/],
  ])("%s is refused with its line and remedy", (rule, message) => {
    const parsed = parsePolicy(`version: 1\nrules:\n  - { name: t, action: mail, ${rule} }\n`);
    const told = parsed.ok ? [] : parsed.findings.map(({ line, message: what, hint }) => `${line}: ${what} ${hint ?? ""}`);
    expect(told.join("\n")).toMatch(message);
  }); // prettier-ignore
});

const anyOrigin = fc.record({
  path: fc.constant("to"),
  role: fc.constantFrom<ArgumentOrigin["role"]>("recipient", "body", "credential"),
  from: fc.constantFrom<ArgumentOrigin["from"]>("trusted", "untrusted-only", "invented"),
  how: fc.constant("exact" as const),
  labels: fc.constant([]),
  sources: fc.constant([]),
  instructed: fc.integer({ min: 0, max: 90 }),
  isDelegated: fc.boolean(),
});
const anyRequest = fc.record({ origins: fc.array(anyOrigin, { maxLength: 3 }), newTargets: fc.nat(1), denials: fc.nat(3) }).map(
  ({ origins, newTargets, denials }): ActionRequest => ({
    ...request,
    flow: { ...flow, arguments: origins, newTargets },
    risks: { recentDenials: denials, recentFailures: 0, recentActions: 0 },
  }),
); // prettier-ignore
const anyRule = fc
  .record({ effect: fc.constantFrom("allow", "ask", "deny"), score: fc.integer({ min: 1, max: 99 }), isWide: fc.boolean() })
  .map(({ effect, score, isWide }) => {
    const condition = isWide ? "" : `, risk_score: { ${effect === "allow" ? "up_to" : "from"}: ${score} }`;
    return `effect: ${effect}, action: mail${condition}`;
  }); // prettier-ignore
const strictness = { allow: 0, ask: 1, deny: 2 } as const;

test("a worse sign never allows more, nor makes milder what a rule says, whatever rules about the score there are", () => {
  const rules = fc.array(anyRule, { maxLength: 4 });
  fc.assert(
    fc.property(rules, anyRequest, anyOrigin, fc.nat(5), (bodies, calm, added, more) => {
      const named = bodies.map((body, index) => `name: r${index}, ${body}`);
      fc.pre(named.length > 0);
      const known = calm.flow!;
      const worse: readonly ActionRequest[] = [
        { ...calm, flow: { ...known, arguments: [...known.arguments, added] } },
        { ...calm, flow: { ...known, isRequested: false } },
        { ...calm, flow: { ...known, newTargets: 1 } },
        { ...calm, risks: { ...calm.risks!, recentDenials: calm.risks!.recentDenials + more } },
        { ...calm, args: { amount: 10 ** more, path: "/*" } },
      ];
      const policy = policyOf(...named);
      const { matched, effect } = decide(compilePolicy(policy), calm);
      for (const each of worse) {
        const after = decideBy(each, ...named).effect;
        // What no rule spoke of is denied; a rule that asks from some score on may then ask, and none may allow.
        if (matched.length === 0) expect(after).not.toBe("allow");
        else expect(strictness[after]).toBeGreaterThanOrEqual(strictness[effect]);
      }
      const names = new Set(matched.map(({ name }) => name));
      for (const rule of policy.rules) expect(partsMissed(rule, calm).length === 0).toBe(names.has(rule.name));
    }),
    { numRuns: 300 },
  );
}); // prettier-ignore
