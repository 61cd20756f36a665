import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import { createTestLimits } from "../limits/testing-limits.ts";
import type { ActionRequest, Decision } from "../policy/decision.ts";
import { compilePolicy } from "../policy/compile.ts";
import { decide } from "../policy/decide.ts";
import { decideAll } from "../policy/decide-all.ts";
import { requirePolicy } from "../policy/policy-file.ts";
import { createGate } from "./gate.ts";
import type { GateInput } from "./gate-input.ts";
import { createPermitOffice } from "./permit.ts";

const allowed: Decision = {
  effect: "allow",
  risk: "low",
  obligations: {},
  matched: [],
  reason: "",
  revision: "r",
};
const request = { action: "a", args: {}, labels: [], agent: "a", role: "r", tenant: "t" };

describe("several resources of one action", () => {
  const scored = (value: number): Decision => ({ ...allowed, score: { value, factors: [] } });

  test("the strictest decision stands, with the highest risk and score of all", () => {
    const answers: Readonly<Record<string, Decision>> = {
      a: { ...scored(70), risk: "high" },
      b: { ...scored(10), effect: "deny" },
      c: { ...allowed, effect: "ask" },
    };
    const answer = ({ resource }: ActionRequest): Decision => answers[resource]!;
    for (const order of [
      ["a", "b", "c"],
      ["c", "b", "a"],
      ["b", "a", "c"],
    ]) {
      expect(decideAll(request, order, answer)).toMatchObject({
        effect: "deny",
        risk: "high",
        score: { value: 70 },
      });
    }
    expect(decideAll(request, ["c", "c"], answer).score).toBeUndefined();
  });

  const policy = (rules: string) => compilePolicy(requirePolicy(`version: 1\nrules:\n${rules}`));
  const decideBy = (text: string) => {
    const compiled = policy(text);
    return decideAll(request, ["x", "y"], (each) => decide(compiled, each));
  };
  const rule = (name: string, resource: string, approval: string): string =>
    `  - { name: ${name}, action: a, resource: ${resource}, effect: ask${approval} }\n`;

  test("whom one resource's rule names answers also where another rule names nobody", () => {
    const merged = decideBy(rule("some", "x", "") + rule("security", "y", ", approval: { by: [security] }"));
    expect(merged.obligations.approval).toMatchObject({ by: ["security"], quorum: 1 });
    expect(merged.matched.map(({ name }) => name)).toEqual(["some", "security"]);
  });

  test("rules that leave nobody to answer deny, as they do for one resource", () => {
    const approvers = rule("one", "x", ", approval: { by: [approver] }");
    const denied = decideBy(approvers + rule("two", "y", ", approval: { by: [security] }"));
    expect(denied).toMatchObject({ effect: "deny", obligations: {} });
    expect(denied.reason).toContain("`one` and `two` ask different roles");
  });
});

describe("the guard of origins", () => {
  const input: GateInput = {
    tool: {
      name: "a",
      defaultTimeoutMs: 1,
      maxTimeoutMs: 1,
      parse: (args) => args,
      resolve: () => Promise.resolve({ resource: "x", args: {}, summary: "" }),
    },
    toolName: "a",
    args: {},
    labels: [],
    runId: "run",
    stepPath: "s",
    attempt: 1,
    epoch: 1,
    agent: "a",
    role: "r",
    tenant: "t",
    stepTimeoutMs: null,
    answer: null,
  };
  const clock = createManualClock();
  function gateThat(decide: (asked: ActionRequest) => Decision) {
    return createGate({
      clock,
      decide,
      limits: createTestLimits(clock),
      breaker: createCircuitBreaker({ clock }),
      permits: createPermitOffice(),
      findStanding: () => Promise.resolve(undefined),
      pinSecrets: ({ args }) => Promise.resolve(args),
      defaultIsolation: "none",
      redact: (value) => value,
      observe: () => undefined,
      maxOutputBytes: 100,
    });
  }

  test("hands what was traced to policy", async () => {
    const asked: ActionRequest[] = [];
    const gate = gateThat((one) => {
      asked.push(one);
      return allowed;
    });
    const flow = { arguments: [], history: [], isEffect: true, isRequested: null, newTargets: 1 };
    await gate.admit({ ...input, trace: () => Promise.resolve({ flow }) });
    await gate.admit(input);
    expect(asked.map((one) => one.flow)).toEqual([flow, undefined]);
  });

  test("denies when the trace fails", async () => {
    const broken = { ...input, trace: () => Promise.reject(new Error("store is gone")) };
    expect(await gateThat(() => allowed).admit(broken)).toMatchObject({
      kind: "deny",
      finding: { guard: "origins", code: "GUARD_FAILED" },
    });
  });
});
