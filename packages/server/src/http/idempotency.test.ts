import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createManualClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createIdempotency } from "./idempotency.ts";
import { route } from "./route.ts";
import type { Route } from "./route.ts";
import { startTestServer } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

interface Counter {
  readonly routes: readonly Route[];
  readonly created: string[];
}

function counting(before: (name: string, attempt: number) => Promise<void> = async () => undefined): Counter {
  const created: string[] = [];
  let attempt = 0;
  const create = route({
    method: "POST",
    path: "/v1/things",
    operationId: "things.create",
    summary: "Create",
    tags: ["things"],
    access: "operator",
    body: z.strictObject({ name: z.string() }),
    status: 201,
    idempotent: true,
    response: z.object({ id: z.number(), name: z.string() }),
    async handle({ body, setHeader }) {
      await before(body.name, ++attempt);
      created.push(body.name);
      setHeader("location", `/v1/things/${created.length}`);
      return { id: created.length, name: body.name };
    },
  });
  return { routes: [create], created };
}

function post(server: TestServer, key: string | undefined, name: string, token = "admin"): Promise<Response> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const body = JSON.stringify({ name });
  const init = {
    method: "POST",
    headers: key === undefined ? headers : { ...headers, "idempotency-key": key },
    body,
  };
  return server.call("/v1/things", init);
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe("Idempotency-Key", () => {
  test("the same request under the same key is done once and answered alike", async () => {
    const { routes, created } = counting();
    await using server = await startTestServer(routes);
    const first = await post(server, "k1", "a");
    const second = await post(server, "k1", "a");
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await second.text()).toBe(await first.text());
    expect([first.headers.get("idempotency-replayed"), second.headers.get("idempotency-replayed")]).toEqual([
      null,
      "true",
    ]);
    expect([second.headers.get("location"), second.headers.get("content-type")]).toEqual([
      "/v1/things/1",
      "application/json; charset=utf-8",
    ]);
    expect(created).toEqual(["a"]);
  });

  test("a request whose time is over keeps its key until what it does has ended", async () => {
    const goOn = Promise.withResolvers<void>();
    const { routes, created } = counting((_, attempt) => (attempt === 1 ? goOn.promise : Promise.resolve()));
    await using server = await startTestServer(routes, { limits: { handlerTimeoutMs: 50 } });
    expect((await post(server, "k", "a")).status).toBe(504);
    const meanwhile = await post(server, "k", "a");
    expect([meanwhile.status, await codeOf(meanwhile)]).toEqual([409, "REQUEST_CONFLICT"]);
    goOn.resolve();
    await expect.poll(async () => (await post(server, "k", "a")).status).toBe(201);
    expect(created).toEqual(["a", "a"]);
  });

  test("without a key every request counts", async () => {
    const { routes, created } = counting();
    await using server = await startTestServer(routes);
    await post(server, undefined, "a");
    await post(server, undefined, "a");
    expect(created).toEqual(["a", "a"]);
  });

  test("another body under the same key is 422, another caller's key is another key", async () => {
    const { routes, created } = counting();
    await using server = await startTestServer(routes);
    await post(server, "k1", "a");
    const other = await post(server, "k1", "b");
    expect([other.status, await codeOf(other)]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect((await post(server, "k1", "b", "operator")).status).toBe(201);
    expect(created).toEqual(["a", "b"]);
  });

  test("of twenty requests at once one acts; the others are told to wait or hear its answer", async () => {
    const gate = Promise.withResolvers<void>();
    const { routes, created } = counting(() => gate.promise);
    await using server = await startTestServer(routes);
    const calls = Array.from({ length: 20 }, () => post(server, "race", "a"));
    const refused = await Promise.race(calls);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([409, "1"]);
    gate.resolve();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(1);
    expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
    expect(created).toEqual(["a"]);
    expect((await post(server, "race", "a")).headers.get("idempotency-replayed")).toBe("true");
  });

  test("a request that failed leaves the key free", async () => {
    const { routes, created } = counting(async (_, attempt) => {
      if (attempt === 1) throw new HomeostatError("STORE_UNAVAILABLE", "not now");
    });
    await using server = await startTestServer(routes);
    expect((await post(server, "k", "a")).status).toBe(503);
    expect((await post(server, "k", "a")).status).toBe(201);
    expect(created).toEqual(["a"]);
  });

  test("a key of odd characters or length is refused", async () => {
    const { routes } = counting();
    await using server = await startTestServer(routes);
    for (const key of ["a b", "x".repeat(256)])
      expect(await codeOf(await post(server, key, "a"))).toBe("REQUEST_INVALID");
  });

  test("after 24 hours a key is forgotten, and one left by a dead process is taken over once its lock is over", async () => {
    const clock = createManualClock();
    await using server = await startTestServer([]);
    const idempotency = createIdempotency({
      store: server.store,
      clock,
      owner: "this",
      isOwnerDead: (owner) => owner === "gone",
    });
    const request = { tenant: "t", principal: "p", key: "k", fingerprint: "f", requestId: "r1" };
    const dead = await idempotency.begin(request);
    await expect(idempotency.begin({ ...request, requestId: "r2" })).rejects.toMatchObject({
      code: "REQUEST_CONFLICT",
    });
    clock.advance(120_001);
    const turns = await Promise.allSettled([
      idempotency.begin({ ...request, requestId: "r3" }),
      idempotency.begin({ ...request, requestId: "r4" }),
    ]);
    const winner = turns.find((turn) => turn.status === "fulfilled")?.value;
    expect(turns.filter((turn) => turn.status === "fulfilled").length).toBe(1);
    // The dead one wakes up late: its answer must not replace the winner's lock.
    if (dead.kind === "first") await dead.keep({ status: 201, headers: {}, body: '"late"' });
    if (winner?.kind === "first") await winner.keep({ status: 201, headers: {}, body: '"right"' });
    const replay = await idempotency.begin({ ...request, requestId: "r5" });
    expect(replay).toMatchObject({ kind: "replay", answer: { body: '"right"' } });
    clock.advance(24 * 60 * 60 * 1000);
    expect((await idempotency.begin({ ...request, fingerprint: "g", requestId: "r6" })).kind).toBe("first");
  });

  test("what a process that is provably gone had begun is free at once", async () => {
    await using server = await startTestServer([]);
    const open = (owner: string) =>
      createIdempotency({
        store: server.store,
        clock: createManualClock(),
        owner,
        isOwnerDead: (other) => other === "gone",
      });
    const request = { tenant: "t", principal: "p", key: "k", fingerprint: "f", requestId: "r1" };
    await open("gone").begin(request);
    const next = open("next");
    expect((await next.begin({ ...request, requestId: "r2" })).kind).toBe("first");
    await expect(open("third").begin({ ...request, requestId: "r3" })).rejects.toMatchObject({
      code: "REQUEST_CONFLICT",
    });
  });

  test("a lock that the database would not give back, or took without saying so, is given back once it can", async () => {
    await using server = await startTestServer([]);
    let isAway = false;
    const store = {
      ...server.store,
      async write(batch: Parameters<typeof server.store.write>[0]) {
        // Committed, and then the connection broke.
        const results = batch[0]?.sql.includes("expires_at <=") ? await server.store.write(batch) : undefined;
        if (isAway) throw new HomeostatError("STORE_UNAVAILABLE", "the connection broke");
        return results ?? (await server.store.write(batch));
      },
    };
    const clock = createManualClock();
    const idempotency = createIdempotency({ store, clock, owner: "this", isOwnerDead: () => false });
    const request = { tenant: "t", principal: "p", key: "k", fingerprint: "f", requestId: "r1" };
    const turn = await idempotency.begin(request);
    isAway = true;
    if (turn.kind === "first") await turn.release();
    await expect(idempotency.begin({ ...request, key: "other", requestId: "r2" })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    isAway = false;
    const answered = await idempotency.begin({ ...request, key: "answered", requestId: "r3" });
    isAway = true;
    const answer = { status: 201, headers: {}, body: "{}" };
    if (answered.kind === "first") await answered.keep(answer);
    isAway = false;
    const held = () => server.store.read("SELECT key FROM idempotency_keys WHERE answer IS NULL");
    expect(await held()).toHaveLength(3);
    await expect
      .poll(async () => {
        clock.advance(500);
        return await held();
      })
      .toEqual([]);
    const replay = await idempotency.begin({ ...request, key: "answered", requestId: "r4" });
    expect(replay).toEqual({ kind: "replay", answer });
  });
});
