import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { isApiError } from "./api-error.ts";
import type { ApiError } from "./api-error.ts";
import { addressOf, createClient } from "./client.ts";
import type { StreamEvent } from "./stream.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Fake extends AsyncDisposable {
  readonly baseUrl: string;
  readonly seen: Seen[];
}

type Reply = (request: Seen, response: ServerResponse, count: number) => void;

/** A server that says what a test wants: the real one is behind the server's own tests. */
async function serve(reply: Reply): Promise<Fake> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      reply(seen.at(-1)!, response, seen.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

function sse(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`retry: 5\n\n${text}`);
}

async function errorOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isApiError(error)) throw new Error(`expected an ApiError, got ${String(error)}`);
  return error;
}

describe("a call", () => {
  test("puts parameters, query, body, token and key where they belong", async () => {
    await using fake = await serve((_, response) => json(response, 201, { id: "run_1" }));
    const client = createClient({ baseUrl: `${fake.baseUrl}/`, token: "t" });
    await client.call("runs.list", { query: { state: "RUNNING,WAITING", limit: 5, cursor: undefined } });
    await client.call("runs.get", { params: { id: "a/b c" } });
    const run = await client.call("tasks.submit", { body: { example: "brand-audit" }, idempotencyKey: "k" });
    expect(run.id).toBe("run_1");
    expect(fake.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v1/runs?state=RUNNING%2CWAITING&limit=5",
      "GET /v1/runs/a%2Fb%20c",
      "POST /v1/tasks",
    ]);
    expect(fake.seen[2]).toMatchObject({
      body: '{"example":"brand-audit"}',
      headers: { authorization: "Bearer t", "content-type": "application/json", "idempotency-key": "k" },
    });
    expect(addressOf("ledger.tile", { params: { path: "0/x001/067.p/8" } })).toBe(
      "/v1/ledger/tile/0/x001/067.p/8",
    );
  });

  test("wrong input does not compile", () => {
    const client = createClient({ baseUrl: "http://127.0.0.1:1" });
    const never = async (): Promise<void> => {
      // @ts-expect-error the id is missing
      await client.call("runs.get");
      // @ts-expect-error no such answer
      await client.call("approvals.decide", { params: { id: "x" }, body: { answer: "maybe" } });
      // @ts-expect-error streams are read with `stream`
      await client.call("stream.all");
    };
    expect(never).toBeTypeOf("function");
  });

  test("a problem document becomes an ApiError with all it says", async () => {
    const problem = {
      type: "/reference#REQUEST_INVALID",
      title: "Request invalid",
      status: 422,
      detail: "/size: too small",
      instance: "/v1/x",
      code: "REQUEST_INVALID",
      hint: "Correct it.",
      requestId: "req_1",
      errors: [{ pointer: "/size", detail: "too small" }],
    };
    await using fake = await serve((_, response) => json(response, 422, problem, { "retry-after": "3" }));
    const error = await errorOf(createClient(fake).call("status.get"));
    expect(error).toMatchObject({
      code: "REQUEST_INVALID",
      status: 422,
      message: "/size: too small",
      hint: "Correct it.",
      requestId: "req_1",
      errors: [{ pointer: "/size", detail: "too small" }],
      retryAfterMs: 3_000,
    });
  });

  test("a stranger's answer, a success that is no JSON and silence are told apart", async () => {
    await using proxy = await serve((_, response) => response.writeHead(502).end("<html>Bad Gateway</html>"));
    expect(await errorOf(createClient(proxy).call("status.get"))).toMatchObject({
      code: "ANSWER_UNEXPECTED",
      status: 502,
    });
    await using page = await serve((_, response) => response.writeHead(200).end("<html>"));
    expect((await errorOf(createClient(page).call("status.get"))).code).toBe("ANSWER_UNEXPECTED");
    const nobody = createClient({ baseUrl: "http://127.0.0.1:1" });
    expect(await errorOf(nobody.call("status.get"))).toMatchObject({ code: "SERVER_UNREACHABLE", status: 0 });
  });

  test("text, bytes and empty answers come as what they are", async () => {
    await using fake = await serve((request, response) => {
      if (request.method === "DELETE") response.writeHead(204).end();
      else response.end("abc");
    });
    const client = createClient(fake);
    expect(await client.call("ledger.checkpoint")).toBe("abc");
    expect(await client.call("artifacts.content", { params: { id: "a" } })).toEqual(
      new Uint8Array([97, 98, 99]),
    );
    expect(await client.call("session.delete")).toBeUndefined();
  });

  test("an aborted call throws the signal's reason", async () => {
    await using fake = await serve(() => undefined);
    const call = createClient(fake).call("status.get", { signal: AbortSignal.timeout(20) });
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

describe("a stream", () => {
  const params = { id: "r" };

  async function collect(stream: AsyncIterable<StreamEvent>, until = Infinity): Promise<StreamEvent[]> {
    const events: StreamEvent[] = [];
    for await (const event of stream) {
      events.push(event);
      if (events.length >= until) break;
    }
    return events;
  }

  test("comes back after a break with the last id and ends with the run", async () => {
    await using fake = await serve((_, response, count) => {
      if (count === 1) {
        sse(response, 'id: 1\nevent: run.created\ndata: {"seq":1}\n\nid: 2\nevent: a\ndata: {"seq":2}\n\n');
        setTimeout(() => response.destroy(), 20);
      } else if (count === 2) response.writeHead(503, { "retry-after": "0" }).end();
      else sse(response, 'id: 3\nevent: b\ndata: {"seq":3}\n\nevent: end\ndata: {}\n\n');
    });
    const states: string[] = [];
    const onState = (state: string): void => void states.push(state);
    const events = await collect(createClient(fake).stream("runs.stream", { params, after: 0, onState }));
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      ["1", "run.created"],
      ["2", "a"],
      ["3", "b"],
      ["3", "end"],
    ]);
    expect(fake.seen.map(({ headers }) => headers["last-event-id"])).toEqual(["0", "2", "2"]);
    expect(states).toEqual(["live", "waiting", "waiting", "live"]);
  });

  test("a first connection that fails, and a refusal at any time, are thrown", async () => {
    const gone = { code: "RUN_NOT_FOUND", detail: "no", status: 404 };
    await using fake = await serve((_, response, count) => {
      if (count === 2) {
        sse(response, "data: 1\n\n");
        setTimeout(() => response.destroy(), 10);
      } else json(response, 404, gone);
    });
    const client = createClient(fake);
    expect((await errorOf(collect(client.stream("runs.stream", { params })))).code).toBe("RUN_NOT_FOUND");
    expect((await errorOf(collect(client.stream("runs.stream", { params })))).code).toBe("RUN_NOT_FOUND");
    expect(fake.seen.length).toBe(3);
    const nobody = createClient({ baseUrl: "http://127.0.0.1:1" });
    expect((await errorOf(collect(nobody.stream("stream.all")))).code).toBe("SERVER_UNREACHABLE");
  });

  test("an error event of the server is thrown", async () => {
    await using fake = await serve((_, response) =>
      sse(response, 'event: error\ndata: {"code":"INTERNAL","detail":"x"}\n\n'),
    );
    expect((await errorOf(collect(createClient(fake).stream("stream.all")))).code).toBe("INTERNAL");
  });

  test("silence counts as a break, and tries can be limited", async () => {
    await using fake = await serve((_, response, count) => {
      if (count === 1) sse(response, "data: 1\n\n");
      else response.destroy();
    });
    const stream = createClient(fake).stream("stream.all", { idleMs: 50, maxTries: 3 });
    expect((await errorOf(collect(stream))).code).toBe("SERVER_UNREACHABLE");
    expect(fake.seen.length).toBe(3);
  });

  test("aborting ends it quietly, leaving it closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    await using fake = await serve((_, response, count) => {
      sse(response, "data: 1\n\n");
      if (count === 2) response.on("close", () => closed.resolve());
    });
    const signal = AbortSignal.timeout(50);
    const events = await collect(createClient(fake).stream("stream.all", { signal }));
    expect(events).toEqual([{ id: undefined, event: "message", data: 1 }]);
    await collect(createClient(fake).stream("stream.all"), 1);
    await closed.promise;
  });
});
