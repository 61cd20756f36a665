import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActionFlow, ArgumentOrigin } from "./argument-origin.ts";
import { argumentRoles, originKinds } from "./argument-origin.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import { requirePolicy } from "../file/policy-file.ts";
import { assessRisk, explainRisk, reasonWithRisk, riskWeights, weighRisk } from "./risk.ts";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";

const origin: ArgumentOrigin = {
  path: "to",
  role: "recipient",
  from: "trusted",
  how: "exact",
  labels: ["user"],
  sources: [],
  instructed: 0,
  isDelegated: false,
};
const flow: ActionFlow = { arguments: [], history: [], isEffect: true, isRequested: null, newTargets: null };
const request: ActionRequest = {
  action: "mail.send",
  resource: "mail",
  args: {},
  labels: [],
  agent: "a",
  role: "admin",
  tenant: "default",
};
const allowed: Decision = {
  effect: "allow",
  risk: "low",
  obligations: {},
  matched: [],
  reason: "fine",
  revision: "r",
};

describe("the score", () => {
  const signs: readonly (readonly [what: string, request: Partial<ActionRequest>, points: number])[] = [
    ["a wildcard", { args: { path: "logs/*" } }, riskWeights.wildcard],
    ["a multiplication is no wildcard", { args: { formula: "a*b" } }, 0],
    ["a recursive flag", { args: { command: "rm -rf build" } }, riskWeights.recursive],
    ["a recursive option", { args: { recursive: true } }, riskWeights.recursive],
    ["a handle of a secret", { args: { headers: { authorization: "secret://api" } } }, riskWeights.credential],
    ["an outside host", { args: { url: "https://example.org/x" } }, riskWeights.externalHost],
    ["a host on this machine", { args: { url: "http://127.0.0.1:80/x" } }, 0],
    ["a small amount", { args: { amount: 9 } }, 0],
    ["an amount of thousands", { args: { amount: 2_500 } }, 12],
    ["an amount of millions is capped", { args: { amount: 5e9 } }, riskWeights.amount.most],
    ["a target from untrusted content", { flow: { ...flow, arguments: [{ ...origin, from: "untrusted-only" }] } }, riskWeights.untrustedTarget],
    ["a body from untrusted content", { flow: { ...flow, arguments: [{ ...origin, role: "body", from: "untrusted-only" }] } }, 0],
    ["a target from nowhere", { flow: { ...flow, arguments: [{ ...origin, from: "invented" }] } }, riskWeights.inventedTarget],
    ["a new target", { flow: { ...flow, newTargets: 1 } }, riskWeights.newTarget],
    ["what the task does not ask for", { flow: { ...flow, isRequested: false } }, riskWeights.unrequested],
    ["looking, which the task does not ask for", { flow: { ...flow, isEffect: false, isRequested: false } }, 0],
    ["two denials before", { risks: { recentDenials: 2, recentFailures: 0, recentActions: 0 } }, 16],
    ["failures are capped", { risks: { recentDenials: 0, recentFailures: 50, recentActions: 0 } }, riskWeights.failures.most],
    ["a burst", { risks: { recentDenials: 0, recentFailures: 0, recentActions: 30 } }, 5],
  ]; // prettier-ignore

  test.each(signs)("counts %s", (_what, more, points) => {
    expect(assessRisk("low", { ...request, ...more }).value).toBe(points);
  });

  const anyOrigin = fc.record<ArgumentOrigin>({
    path: fc.constant("x"),
    role: fc.constantFrom(...argumentRoles),
    from: fc.constantFrom(...originKinds),
    how: fc.constant("exact"),
    labels: fc.constant(["web"]),
    sources: fc.constant([]),
    instructed: fc.nat(100),
    isDelegated: fc.boolean(),
  });
  const anyRequest = fc.record({
    args: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }) as fc.Arbitrary<ActionRequest["args"]>,
    flow: fc.record<ActionFlow>({
      arguments: fc.array(anyOrigin, { maxLength: 4 }),
      history: fc.constant([]),
      isEffect: fc.boolean(),
      isRequested: fc.constantFrom(true, false, null),
      newTargets: fc.option(fc.nat(5)),
    }),
    risks: fc.record({ recentDenials: fc.nat(20), recentFailures: fc.nat(20), recentActions: fc.nat(100) }),
  });
  const level = fc.constantFrom("low", "medium", "high");

  test("is a whole number from 0 to 100 and the capped sum of its factors, each above 0", () => {
    fc.assert(
      fc.property(level, anyRequest, (risk, given) => {
        const { value, factors } = assessRisk(risk, given);
        const sum = factors.reduce((total, { points }) => total + points, 0);
        expect(value).toBe(Math.min(100, sum));
        expect(factors.every(({ points }) => Number.isInteger(points) && points > 0)).toBe(true);
      }),
    );
  });

  test("never falls when a sign gets worse", () => {
    fc.assert(
      fc.property(level, anyRequest, anyOrigin, fc.nat(3), (risk, given, added, more) => {
        const before = assessRisk(risk, given).value;
        const { flow: known, risks } = given;
        const worse: (typeof given)[] = [
          { ...given, flow: { ...known, arguments: [...known.arguments, added] } },
          { ...given, flow: { ...known, arguments: known.arguments.map((each) => ({ ...each, instructed: Math.min(100, each.instructed + more) })) } },
          { ...given, flow: { ...known, newTargets: (known.newTargets ?? 0) + more } },
          { ...given, flow: { ...known, isEffect: true, isRequested: false } },
          { ...given, risks: { ...risks, recentDenials: risks.recentDenials + more } },
          { ...given, risks: { ...risks, recentFailures: risks.recentFailures + more } },
          { ...given, risks: { ...risks, recentActions: risks.recentActions + more } },
        ]; // prettier-ignore
        for (const one of worse) expect(assessRisk(risk, one).value).toBeGreaterThanOrEqual(before);
        expect(assessRisk("high", given).value).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  test("looks at the first 200 leaves", () => {
    const behind = (count: number) => [...Array.from({ length: count }, () => "x"), "x/*"];
    expect(assessRisk("low", { args: { list: behind(100) } }).value).toBe(riskWeights.wildcard);
    expect(assessRisk("low", { args: { list: behind(300) } }).value).toBe(0);
  });

  test("of huge arguments is made in bounded time", () => {
    const args = { list: Array.from({ length: 100_000 }, () => "x/*".repeat(1_000)) };
    const before = process.cpuUsage();
    assessRisk("low", { args });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(200);
  });
});

describe("thresholds", () => {
  const risky: ActionRequest = {
    ...request,
    flow: { ...flow, isRequested: false, arguments: [{ ...origin, from: "untrusted-only", instructed: 80 }] },
  };
  const value = assessRisk("low", risky).value;

  test("ask from one score on, deny from another, and say what the score is made of", () => {
    expect(weighRisk(allowed, risky, undefined).effect).toBe("allow");
    const asked = weighRisk(allowed, risky, { ask: value, deny: null });
    expect(asked).toMatchObject({ effect: "ask", obligations: { approval: { quorum: 1 } } });
    expect(asked.reason).toBe(
      `Needs approval: risk ${value} of 100, asked from ${value}: ${explainRisk(asked.score!)}`,
    );
    expect(weighRisk(allowed, risky, { ask: 1, deny: value })).toMatchObject({
      effect: "deny",
      obligations: {},
    });
    expect(weighRisk(allowed, risky, { ask: value + 1, deny: value + 2 }).effect).toBe("allow");
  });

  test("that the score reaches are told of with it, also where a rule asks already", () => {
    const ask = { ...allowed, effect: "ask" } as const;
    const askedFrom = (ask: number | null, decision: Decision) =>
      weighRisk(decision, risky, { ask, deny: null }).score?.askedFrom;
    expect(askedFrom(value, ask)).toBe(value);
    expect(askedFrom(value, allowed)).toBe(value);
    expect(askedFrom(value + 1, ask)).toBeNull();
    expect(askedFrom(null, ask)).toBeNull();
    expect(weighRisk(ask, risky, undefined).score?.askedFrom).toBeNull();
  });

  test("never soften what a rule says", () => {
    expect(weighRisk({ ...allowed, effect: "deny" }, request, { ask: 1, deny: 2 }).effect).toBe("deny");
    expect(weighRisk({ ...allowed, effect: "ask" }, risky, { ask: 1, deny: null }).reason).toBe("fine");
    expect(weighRisk({ ...allowed, effect: "ask" }, risky, { ask: 1, deny: 2 }).effect).toBe("deny");
  });

  test("of the file hold for actions nobody traced too", () => {
    const policy = compilePolicy(
      requirePolicy("version: 1\nrisk: { ask: 10 }\nrules: [{ name: a, effect: allow, action: '*' }]"),
    );
    expect(decide(policy, { ...request, args: { path: "x/*" } })).toMatchObject({
      effect: "ask",
      score: { value: 10 },
    });
    expect(decide(policy, request).effect).toBe("allow");
  });
});

test("a reason without risk stays as it is", () => {
  expect(reasonWithRisk(allowed)).toBe("fine");
  expect(reasonWithRisk({ ...allowed, score: { value: 0, factors: [] } })).toBe("fine");
  expect(reasonWithRisk({ ...allowed, score: assessRisk("high", request) })).toBe(
    "fine; risk 30 of 100: high risk by rule 30",
  );
  expect(explainRisk({ value: 0, factors: [] })).toBe("nothing speaks against it");
});
