import { expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import { createManualClock } from "../../base/clock.ts";
import type { Admitted } from "../../gate/gate.ts";
import { createPermitOffice } from "../../gate/permit.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { act } from "./effects.ts";
import type { EffectDeps } from "./effects.ts";
import { createHeldHere } from "../session/held-here.ts";
import type { RunSession } from "../session/session.ts";

const timeoutMs = 10_000;

/** An unsafe act under a lease; `whilePublishing` happens between the durable intent and the act. */
function setUp(whilePublishing: (lease: { leftMs: number }) => void, execute?: () => Promise<never>) {
  const manual = createManualClock();
  let jumpedMs = 0;
  const clock = { ...manual, now: () => manual.now() + jumpedMs };
  const lease = { leftMs: 60_000 };
  const losing = new AbortController();
  const held = createHeldHere();
  const acts: string[] = [];
  const signs: string[] = [];
  const permits = createPermitOffice();
  const admitted: Admitted = {
    resolved: { resource: "account", args: {}, summary: "pay" },
    argsDigest: "d",
    decision: { effect: "allow", risk: "low", obligations: {}, matched: [], reason: "", revision: "r" },
    ...{ asked: null, timeoutMs, minimumIsolation: "none", places: [], standing: null },
  };
  const bound = { runId: "run", stepPath: "pay", attempt: 1, tool: "pay.send", argsDigest: "d", epoch: 1 };
  const tool = {
    name: "pay.send",
    effect: "unsafe",
    execute: () => {
      acts.push("paid");
      return execute?.() ?? Promise.reject(new Error("no matter"));
    },
  } as unknown as AnyTool;
  const session = {
    tenant: "default",
    runId: "run",
    interrupt: new AbortController().signal,
    // Its timer has not fired: what a process sees that was stopped and runs on.
    lease: {
      name: "run/run",
      epoch: 1,
      signal: losing.signal,
      remainingMs: () => lease.leftMs,
    },
    reserved: new Map(),
    append: () => Promise.resolve(7),
  } as unknown as RunSession;
  const deps = {
    clock,
    permits,
    gate: {
      settled: (_: unknown, __: unknown, sign: string) => signs.push(sign),
      cleanText: (text: string) => text,
    },
    published: async () => whilePublishing(lease),
    rootsOf: () => [],
    acting: held,
  } as unknown as EffectDeps;
  const request = { ...{ stepPath: "pay", attempt: 1, tool, admitted }, permit: permits.issue(bound) };
  const acting = () => act(session, { ...request, labels: [], approvalId: null, resumed: false }, deps);
  return { acting, acts, signs, clock, losing, held, jumpWall: (ms: number) => (jumpedMs = ms) };
}

test.each([
  ["HTTP_FAILED", "failed", "a host that is away"],
  ["ACTION_INVALID", "succeeded", "an answer about what was asked"],
] as const)("%s counts as %s for the breaker: %s", async (code, sign, _why) => {
  const { acting, signs } = setUp(
    () => undefined,
    () => Promise.reject(new HomeostatError(code, "no")),
  );
  await acting();
  expect(signs).toEqual([sign]);
});

test("acts when the lease outlasts the tool's deadline", async () => {
  const { acting, acts } = setUp(() => undefined);
  expect(await acting()).toMatchObject({ kind: "failed" });
  expect(acts).toEqual(["paid"]);
});

test("does not act under a lease that ended while it waited, though its signal was not set yet", async () => {
  const { acting, acts, signs } = setUp((lease) => (lease.leftMs = 0));
  await expect(acting()).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(acts).toEqual([]);
  expect(signs).toEqual(["released"]);
});

test("acts when the lease is short but the intent has reserved the tool's time in the database", async () => {
  const { acting, acts } = setUp((lease) => (lease.leftMs = timeoutMs - 1));
  expect(await acting()).toMatchObject({ kind: "failed" });
  expect(acts).toEqual(["paid"]);
});

test("does not act when the wall clock has jumped past what is reserved", async () => {
  const world = setUp(() => world.jumpWall(timeoutMs));
  await expect(world.acting()).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(world.acts).toEqual([]);
});

test("does not act when waiting for the ledger used up the whole time, and says that it did not happen", async () => {
  const world = setUp(() => world.clock.advance(timeoutMs));
  expect(await world.acting()).toMatchObject({
    kind: "failed",
    error: { code: "ACTION_TIMEOUT" },
    transient: true,
  });
  expect(world.acts).toEqual([]);
});

test("a tool that does not heed the end of the lease holds nobody up, and is known to act on", async () => {
  const tool = Promise.withResolvers<never>();
  const { acting, acts, losing, held } = setUp(
    () => undefined,
    () => tool.promise,
  );
  const acted = acting();
  await expect.poll(() => acts).toEqual(["paid"]);
  losing.abort(new Error("the lease is lost"));
  await expect(acted).rejects.toThrow("the lease is lost");
  expect(held.has("run")).toBe(true);
  tool.reject(new Error("done at last"));
  await expect.poll(() => held.has("run")).toBe(false);
});
