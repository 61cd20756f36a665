import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import { createTestLimits } from "../limits/testing-limits.ts";
import type { ActionRequest, Decision } from "../policy/rules/decision.ts";
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
