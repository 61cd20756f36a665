import { expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import { createTestLimits } from "../limits/testing-limits.ts";
import type { Decision } from "../policy/rules/decision.ts";
import { createGate } from "./gate.ts";
import type { GateInput, GateTool } from "./gate-input.ts";
import type { GateDeps } from "./gate.ts";
import { createPermitOffice } from "./permit.ts";

const asks: Decision = {
  effect: "ask",
  risk: "low",
  obligations: {},
  matched: [],
  reason: "",
  revision: "r",
};
const tool: GateTool = {
  name: "a.b",
  defaultTimeoutMs: 1,
  maxTimeoutMs: 1,
  parse: (args) => args,
  resolve: (args) => Promise.resolve({ resource: "x", args: args as never, summary: "" }),
};

const broken = (): never => {
  throw new Error("broken");
};
const brokenLater = (): Promise<never> => Promise.reject(new Error("broken"));

/** For each guard of the stack a way to break it. */
const ways: Readonly<Record<string, { readonly deps?: Partial<GateDeps>; readonly input?: Partial<GateInput> }>> = {
  schema: { input: { tool: { ...tool, parse: broken } } },
  resolve: { input: { tool: { ...tool, resolve: brokenLater } } },
  "resolve, secrets": { deps: { pinSecrets: brokenLater } },
  origins: { input: { trace: brokenLater } },
  policy: { deps: { decide: broken } },
  approval: { deps: { decide: () => asks, findStanding: brokenLater } },
  breaker: { deps: { breaker: { ...createCircuitBreaker({ clock: createManualClock() }), blockedUntilMs: broken } } },
  limits: { deps: { limits: { ...createTestLimits(createManualClock()), enter: brokenLater } } },
}; // prettier-ignore

test.each(Object.entries(ways))("a guard that breaks down denies: %s", async (name, way) => {
  const clock = createManualClock();
  const permits = createPermitOffice();
  const issued: unknown[] = [];
  const gate = createGate({
    clock,
    pinSecrets: ({ args }) => Promise.resolve(args),
    findStanding: () => Promise.resolve(undefined),
    decide: () => ({ ...asks, effect: "allow" }),
    limits: createTestLimits(clock),
    breaker: createCircuitBreaker({ clock }),
    permits: { ...permits, issue: (terms) => (issued.push(terms), permits.issue(terms)) },
    defaultIsolation: "standard",
    redact: (value) => value,
    observe: () => undefined,
    maxOutputBytes: 100,
    ...way.deps,
  });
  const outcome = await gate.admit({
    tool,
    toolName: tool.name,
    args: {},
    labels: [],
    runId: "run_1",
    stepPath: "s",
    attempt: 1,
    epoch: 1,
    agent: "workflow:w",
    role: "admin",
    tenant: "default",
    stepTimeoutMs: null,
    answer: null,
    ...way.input,
  });
  expect(outcome).toMatchObject({ kind: "deny", finding: { guard: name.split(",")[0], code: "GUARD_FAILED", reason: expect.stringContaining("broken") } });
  expect(issued).toEqual([]);
}); // prettier-ignore
