import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createCircuitBreaker } from "../guards/circuit-breaker.ts";
import { createTestLimits } from "../limits/testing-limits.ts";
import type { ActionRequest, Decision } from "../policy/rules/decision.ts";
import { requireApproval } from "./approvals.ts";
import { actionDigest, conclude, createGate } from "./gate.ts";
import type { GateInput, GateTool } from "./gate-input.ts";
import type { GateDeps } from "./gate.ts";
import { createPermitOffice } from "./permit.ts";

const allowed: Decision = {
  effect: "allow",
  risk: "low",
  obligations: {},
  matched: [],
  reason: "rule r allows it",
  revision: "sha256:1",
};

const tool: GateTool = {
  name: "file_ops.delete",
  defaultTimeoutMs: 1_000,
  maxTimeoutMs: 5_000,
  parse: (args) => {
    if (args["path"] === undefined) throw new HomeostatError("ACTION_INVALID", "path is missing");
    return args;
  },
  resolve: (args) => Promise.resolve({ resource: "workspace/a", args: args as never, summary: "delete a" }),
};

function setUp(decide: (request: ActionRequest) => Decision, overrides: Partial<GateDeps> = {}) {
  const clock = createManualClock();
  const permits = createPermitOffice();
  const observed: string[] = [];
  const gate = createGate({
    pinSecrets: ({ args }) => Promise.resolve(args),
    findStanding: () => Promise.resolve(undefined),
    clock,
    decide,
    limits: createTestLimits(clock),
    breaker: createCircuitBreaker({ clock, failuresToOpen: 1, openMs: 1_000 }),
    permits,
    defaultIsolation: "standard",
    redact(value, isPersonalToo) {
      const text = JSON.stringify(value).replaceAll("secret", "***");
      return JSON.parse(isPersonalToo ? text.replaceAll("ada", "[name]") : text) as never;
    },
    observe: (_tool, verdict) => observed.push(verdict),
    maxOutputBytes: 100,
    ...overrides,
  });
  return { gate, permits, clock, observed };
}

function input(overrides: Partial<GateInput> = {}): GateInput {
  return {
    tool,
    toolName: tool.name,
    args: { path: "a" },
    labels: ["operator"],
    runId: "run_1",
    stepPath: "s",
    attempt: 1,
    epoch: 7,
    agent: "workflow:w",
    role: "admin",
    tenant: "default",
    stepTimeoutMs: null,
    answer: null,
    ...overrides,
  };
}

const digest = actionDigest(tool.name, { resource: "workspace/a", args: { path: "a" }, summary: "" });

describe("admitting an action", () => {
  test("what it is led on to is judged by the same question about the new resource", async () => {
    const asked: ActionRequest[] = [];
    const { gate } = setUp((request) => {
      asked.push(request);
      return request.resource === "workspace/b" ? { ...allowed, effect: "deny", reason: "rule n" } : allowed;
    });
    const outcome = await gate.admit(input({ user: "user:ada" }));
    if (outcome.kind !== "allow") throw new Error("it is allowed");
    expect(() => gate.requireFurther(outcome, "workspace/c")).not.toThrow();
    expect(asked.at(-1)).toEqual({ ...asked[0]!, resource: "workspace/c" });
    expect(() => gate.requireFurther(outcome, "workspace/b")).toThrow(
      /workspace\/b: policy denies it: rule n/,
    );
  });

  test("issues a permit that is good once and only for exactly this action", async () => {
    const { gate, permits, observed } = setUp(() => allowed);
    const outcome = await gate.admit(input());
    if (outcome.kind !== "allow") throw new Error(outcome.kind);
    const terms = {
      runId: "run_1",
      stepPath: "s",
      attempt: 1,
      tool: tool.name,
      argsDigest: digest,
      epoch: 7,
    };
    expect(outcome.argsDigest).toBe(digest);
    permits.redeem(outcome.permit, terms);
    expect(() => permits.redeem(outcome.permit, terms)).toThrow(/used or forged/);
    expect(() => permits.redeem({ terms }, terms)).toThrow(/used or forged/);
    const again = await gate.admit(input());
    if (again.kind !== "allow") throw new Error(again.kind);
    expect(() => permits.redeem(again.permit, { ...terms, epoch: 8 })).toThrow(/epoch/);
    expect(observed).toEqual(["allow", "allow"]);
  });

  test("leaves handles of secrets alone where the action only hands them on", async () => {
    const pinned: unknown[] = [];
    const { gate } = setUp(() => allowed, {
      pinSecrets: ({ args }) => {
        pinned.push(args);
        return Promise.resolve({ ...args, path: `${String(args["path"])}@1` });
      },
    });
    const args = { path: "secret://shop" };
    const opening = await gate.admit(input({ args }));
    const passing = await gate.admit(input({ args, tool: { ...tool, passesSecretsOn: true } }));
    expect([opening, passing]).toMatchObject([
      { kind: "allow", resolved: { args: { path: "secret://shop@1" } } },
      { kind: "allow", resolved: { args } },
    ]);
    expect(pinned).toHaveLength(1);
  });

  test("denies a tool nobody has, arguments that do not fit, and a resource that cannot be resolved", async () => {
    const { gate } = setUp(() => allowed);
    const unknown = await gate.admit(input({ tool: undefined, toolName: "no.such" }));
    expect(unknown).toMatchObject({ kind: "deny", finding: { guard: "schema", code: "ACTION_UNKNOWN" } });
    const bad = await gate.admit(input({ args: {} }));
    expect(bad).toMatchObject({ kind: "deny", finding: { code: "ACTION_INVALID" }, decision: null });
    const escaping: GateTool = { ...tool, resolve: () => Promise.reject(new Error("symlink out")) };
    expect(await gate.admit(input({ tool: escaping }))).toMatchObject({
      kind: "deny",
      finding: { guard: "resolve", code: "GUARD_FAILED" },
    });
  });

  test("denies what policy denies, and when policy itself breaks", async () => {
    const denied = setUp(() => ({ ...allowed, effect: "deny", reason: "no rule allows it" }));
    expect(await denied.gate.admit(input())).toMatchObject({
      kind: "deny",
      resource: "workspace/a",
      finding: { code: "ACTION_DENIED", reason: "no rule allows it" },
    });
    const broken = setUp(() => {
      throw new Error("policy broke");
    });
    expect(await broken.gate.admit(input())).toMatchObject({
      kind: "deny",
      finding: { code: "GUARD_FAILED" },
    });
  });

  test("asks when policy asks, and lets the same arguments through once a person said yes", async () => {
    const { gate } = setUp(() => ({ ...allowed, effect: "ask" }));
    expect((await gate.admit(input())).kind).toBe("ask");
    const yes = input({ answer: { answer: "approve", argsDigest: digest } });
    expect((await gate.admit(yes)).kind).toBe("allow");
  });

  test("asks again when the arguments are not those that were approved", async () => {
    const { gate } = setUp(() => ({ ...allowed, effect: "ask" }));
    const other = input({ args: { path: "b" }, answer: { answer: "approve", argsDigest: digest } });
    expect((await gate.admit(other)).kind).toBe("ask");
  });

  test("an approval never lifts a denial", async () => {
    const { gate } = setUp(() => ({ ...allowed, effect: "deny" }));
    const yes = input({ answer: { answer: "approve", argsDigest: digest } });
    expect((await gate.admit(yes)).kind).toBe("deny");
  });

  test("a refusal and a lapsed question deny even what policy allows by now", async () => {
    const { gate } = setUp(() => allowed);
    const no = await gate.admit(input({ answer: { answer: "reject", argsDigest: digest } }));
    expect(no).toMatchObject({ kind: "deny", finding: { code: "APPROVAL_REJECTED" } });
    const late = await gate.admit(input({ answer: { answer: "expire", argsDigest: digest } }));
    expect(late).toMatchObject({ kind: "deny", finding: { code: "APPROVAL_EXPIRED" } });
  });

  test("judges every resource an action touches and lets the strictest answer stand", async () => {
    const moving: GateTool = {
      ...tool,
      resolve: () =>
        Promise.resolve({
          resource: "workspace/a",
          otherResources: ["archive/a"],
          args: {},
          summary: "move",
        }),
    };
    const ask: Decision = { ...allowed, effect: "ask", risk: "high", obligations: { timeoutMs: 10 } };
    const { gate } = setUp(({ resource }) =>
      resource === "archive/a" ? ask : { ...allowed, obligations: { sandbox: "full" } },
    );
    const outcome = await gate.admit(input({ tool: moving }));
    expect(outcome).toMatchObject({
      kind: "ask",
      timeoutMs: 10,
      minimumIsolation: "full",
      decision: { risk: "high" },
    });
    const turned = setUp(({ resource }) => (resource === "archive/a" ? { ...allowed, risk: "medium" } : ask));
    expect(await turned.gate.admit(input({ tool: moving }))).toMatchObject({
      kind: "ask",
      decision: { risk: "high" },
    });
  });

  test("throttles by policy's rate and names the time to come back", async () => {
    const rate = { count: 1, perMs: 1_000 };
    const { gate, clock } = setUp(() => ({ ...allowed, obligations: { rate } }));
    expect((await gate.admit(input())).kind).toBe("allow");
    expect(await gate.admit(input())).toMatchObject({ kind: "throttle", retryAtMs: clock.now() + 1_000 });
  });

  test("holds back from a target that keeps failing, per host", async () => {
    const web: GateTool = {
      ...tool,
      name: "http.get",
      resolve: () => Promise.resolve({ resource: "https://a.example:443/x", args: {}, summary: "get" }),
    };
    const { gate, clock } = setUp(() => allowed);
    const first = await gate.admit(input({ tool: web, toolName: "http.get" }));
    if (first.kind !== "allow") throw new Error(first.kind);
    gate.settled(first, "http.get", "failed");
    const held = await gate.admit(input({ tool: web, toolName: "http.get" }));
    expect(held).toMatchObject({ kind: "throttle", retryAtMs: clock.now() + 1_000 });
    expect((await gate.admit(input())).kind).toBe("allow");
    gate.settled(first, "http.get", "succeeded");
    expect((await gate.admit(input({ tool: web, toolName: "http.get" }))).kind).toBe("allow");
  });

  test("takes the shortest of the step's, policy's and the tool's time, and policy's isolation", async () => {
    const { gate } = setUp(() => ({ ...allowed, obligations: { timeoutMs: 2_000, sandbox: "full" } }));
    expect(await gate.admit(input({ stepTimeoutMs: 60_000 }))).toMatchObject({
      timeoutMs: 2_000,
      minimumIsolation: "full",
    });
    const free = setUp(() => allowed);
    expect(await free.gate.admit(input({ stepTimeoutMs: 60_000 }))).toMatchObject({ timeoutMs: 5_000 });
    expect(await free.gate.admit(input())).toMatchObject({ timeoutMs: 1_000, minimumIsolation: "standard" });
  });
});

describe("receiving a result", () => {
  test("masks secrets before anything is recorded", () => {
    const { gate } = setUp(() => allowed);
    expect(gate.receive({ text: "a secret of ada" }, ["file"], {})).toEqual({
      output: { text: "a *** of ada" },
      labels: ["file"],
    });
    expect(gate.cleanText("a secret of ada", {})).toBe("a *** of ada");
  });

  test("masks personal data too where policy demands it", () => {
    const { gate } = setUp(() => allowed);
    expect(gate.receive("a secret of ada", [], { redact: true }).output).toBe("a *** of [name]");
    expect(gate.cleanText("a secret of ada", { redact: true })).toBe("a *** of [name]");
  });

  test("refuses an output beyond the limit", () => {
    const { gate } = setUp(() => allowed);
    expect(() => gate.receive("x".repeat(200), [], {})).toThrow(/limit is 100/);
  });
});

describe("concluding", () => {
  const deps = {
    clock: createManualClock(),
    permits: createPermitOffice(),
    defaultIsolation: "none",
  } as const;

  test("a stack that ends without a decision denies", () => {
    expect(conclude("allow", { input: input() }, [], deps)).toMatchObject({
      kind: "deny",
      resource: "",
      finding: { code: "GUARD_FAILED" },
    });
  });

  test("a throttle without a time is tried again at once", () => {
    const resolved = { resource: "workspace/a", args: {}, summary: "" };
    const draft = { input: input(), resolved, argsDigest: digest, decision: allowed };
    const finding = { guard: "rate", verdict: "throttle", code: "ACTION_THROTTLED", reason: "slow" } as const;
    expect(conclude("throttle", draft, [finding], deps)).toMatchObject({
      kind: "throttle",
      retryAtMs: deps.clock.now(),
    });
  });
});

describe("approvals", () => {
  test("that do not exist are named", async () => {
    await expect(requireApproval({ read: () => Promise.resolve([]) }, "apr_x")).rejects.toMatchObject({
      code: "APPROVAL_NOT_FOUND",
    });
  });

  test("what a failing action says loses its secrets", () => {
    expect(setUp(() => allowed).gate.cleanText("my secret", {})).toBe("my ***");
  });
});
