import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { judge, strictest } from "./pipeline.ts";
import type { Guard, GuardVerdict } from "./pipeline.ts";
import { createRateLimiter } from "./rate-limit.ts";
import { describeRateLimiter } from "./describe-rate-limiter.fixture.ts";

interface Draft {
  readonly seen: readonly string[];
}

function says(name: string, verdict?: GuardVerdict): Guard<Draft> {
  return {
    name,
    judge: (draft) => ({
      draft: { seen: [...draft.seen, name] },
      ...(verdict === undefined ? {} : { finding: { verdict, code: "C", reason: name } }),
    }),
  };
}

describe("the pipeline", () => {
  test("hands each guard what the guards before it learned", async () => {
    const { draft, verdict, findings } = await judge([says("a"), says("b")], { seen: [] });
    expect(draft.seen).toEqual(["a", "b"]);
    expect(verdict).toBe("allow");
    expect(findings).toEqual([]);
  });

  test("keeps the strictest verdict whatever the order", async () => {
    expect((await judge([says("a", "ask"), says("b", "warn")], { seen: [] })).verdict).toBe("ask");
    expect((await judge([says("a", "warn"), says("b", "ask")], { seen: [] })).verdict).toBe("ask");
    expect(strictest("throttle", "transform")).toBe("throttle");
  });

  test("stops at a deny, so that later guards spend nothing", async () => {
    const { draft, verdict } = await judge([says("a", "deny"), says("b", "ask")], { seen: [] });
    expect(draft.seen).toEqual(["a"]);
    expect(verdict).toBe("deny");
  });

  test("denies when a guard throws, and keeps a known error's code and hint", async () => {
    const broken: Guard<Draft> = {
      name: "broken",
      judge: () => {
        throw new TypeError("oops");
      },
    };
    const refusing: Guard<Draft> = {
      name: "refusing",
      judge: () => Promise.reject(new HomeostatError("ACTION_INVALID", "no path")),
    };
    const first = await judge([broken], { seen: [] });
    expect(first.findings).toEqual([
      { guard: "broken", verdict: "deny", code: "GUARD_FAILED", reason: "The guard broken failed: oops" },
    ]);
    const second = await judge([refusing], { seen: [] });
    expect(second.findings[0]).toMatchObject({ verdict: "deny", code: "ACTION_INVALID", reason: "no path" });
    expect(second.findings[0]?.hint).toBeTruthy();
  });
});

test("a database that is away is no verdict: it is thrown, and no later guard is asked", async () => {
  const away = new HomeostatError("STORE_UNAVAILABLE", "the connection broke");
  const asked: string[] = [];
  const guards: readonly Guard<Draft>[] = [
    { name: "reading", judge: () => Promise.reject(away) },
    { name: "later", judge: () => (asked.push("later"), {}) },
  ];
  await expect(judge(guards, { seen: [] })).rejects.toBe(away);
  expect(asked).toEqual([]);
});

describe("the circuit breaker", () => {
  test("opens after so many failures in a row, lets one probe through, and closes on its success", () => {
    const clock = createManualClock();
    const breaker = createCircuitBreaker({ clock, failuresToOpen: 2, openMs: 1_000 });
    breaker.failed("x");
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
    breaker.failed("x");
    expect(breaker.blockedUntilMs("x")).toBe(clock.now() + 1_000);
    clock.advance(1_000);
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
    expect(breaker.blockedUntilMs("x")).toBe(clock.now() + 1_000);
    breaker.succeeded("x");
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
  });

  test("is open no longer because the wall clock was set back a day", () => {
    const real = createManualClock();
    let offMs = 0;
    const clock = { ...real, now: () => real.now() + offMs };
    const breaker = createCircuitBreaker({ clock, failuresToOpen: 1, openMs: 1_000 });
    breaker.failed("x");
    offMs = -86_400_000;
    expect(breaker.blockedUntilMs("x")).toBe(clock.now() + 1_000);
    expect(breaker.states()).toMatchObject([{ state: "open", openUntilMs: clock.now() + 1_000 }]);
    real.advance(1_000);
    expect(breaker.states()).toMatchObject([{ state: "probing" }]);
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
  });

  test("opens again when the probe fails, and a success in between starts the count anew", () => {
    const clock = createManualClock();
    const breaker = createCircuitBreaker({ clock, failuresToOpen: 2, openMs: 1_000 });
    breaker.failed("x");
    breaker.succeeded("x");
    breaker.failed("x");
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
    breaker.failed("x");
    clock.advance(1_000);
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
    breaker.failed("x");
    expect(breaker.blockedUntilMs("x")).toBe(clock.now() + 1_000);
  });

  test("lets another probe through when the first was let go, or was never heard of again", () => {
    const clock = createManualClock();
    const breaker = createCircuitBreaker({ clock, failuresToOpen: 1, openMs: 1_000 });
    breaker.failed("x");
    clock.advance(1_000);
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
    expect(breaker.blockedUntilMs("x")).toBe(clock.now() + 1_000);
    breaker.released("x");
    breaker.released("unknown");
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
    clock.advance(1_000);
    expect(breaker.blockedUntilMs("x")).toBeUndefined();
  });

  test("tells people the state of each target that failed lately", () => {
    const clock = createManualClock();
    const breaker = createCircuitBreaker({ clock, failuresToOpen: 2, openMs: 1_000 });
    for (const target of ["a", "b", "b"]) breaker.failed(target);
    const openUntilMs = clock.now() + 1_000;
    expect(breaker.states()).toEqual([
      { target: "a", state: "counting", failures: 1, openUntilMs: null },
      { target: "b", state: "open", failures: 2, openUntilMs },
    ]);
    clock.advance(1_000);
    expect(breaker.states()[1]).toEqual({ target: "b", state: "probing", failures: 2, openUntilMs });
  });

  test("tells when a circuit opens or closes, and forgets what it is told to", () => {
    let changes = 0;
    const clock = createManualClock();
    const breaker = createCircuitBreaker({ clock, failuresToOpen: 2, onChange: () => void (changes += 1) });
    for (const target of ["a", "b", "b"]) breaker.failed(target);
    expect(changes).toBe(1);
    breaker.succeeded("a");
    expect(changes).toBe(1);
    breaker.succeeded("b");
    expect(changes).toBe(2);
    for (const target of ["a", "a", "b", "c"]) breaker.failed(target);
    expect(breaker.reset("nobody")).toEqual([]);
    expect(changes).toBe(3);
    expect(breaker.reset("a")).toEqual(["a"]);
    expect(breaker.blockedUntilMs("a")).toBeUndefined();
    expect(changes).toBe(4);
    expect(breaker.reset()).toEqual(["b", "c"]);
    expect(breaker.states()).toEqual([]);
  });

  test("remembers a bounded number of targets", () => {
    const breaker = createCircuitBreaker({ clock: createManualClock(), failuresToOpen: 1, maxTargets: 2 });
    for (const target of ["a", "b", "c"]) breaker.failed(target);
    expect(breaker.blockedUntilMs("a")).toBeUndefined();
    expect(breaker.blockedUntilMs("c")).toBeDefined();
  });
});

describeRateLimiter("of one process", () => {
  const clock = createManualClock();
  return Promise.resolve({
    limiter: createRateLimiter({ clock }),
    advance: async (ms) => clock.advance(ms),
    wallMs: clock.now,
    toleranceMs: 0,
  });
});

test("the rate limiter of one process forgets the bucket that was used longest ago", async () => {
  const clock = createManualClock();
  const limiter = createRateLimiter({ clock, maxKeys: 1 });
  const limit = { count: 1, perMs: 1_000 };
  await limiter.take([{ key: "k", limit }]);
  expect(limiter.levels()).toEqual([{ key: "k", limit, tokens: 0 }]);
  await limiter.take([{ key: "pushes k out", limit }]);
  expect(await limiter.take([{ key: "k", limit }])).toBeUndefined();
});
