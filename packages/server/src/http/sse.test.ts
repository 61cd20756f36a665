import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { route } from "./route.ts";
import type { Handler, Route } from "./route.ts";
import { formatEvent } from "./sse.ts";
import { startTestServer } from "./test-server.ts";

function streamRoute(handle: Handler<unknown, unknown, unknown, "sse">): Route {
  return route({
    method: "GET",
    path: "/v1/stream",
    operationId: "stream.all",
    summary: "Stream",
    tags: ["stream"],
    access: "viewer",
    response: "sse",
    handle,
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Reads until the text satisfies, then leaves. */
async function readUntil(response: Response, isEnough: (text: string) => boolean): Promise<string> {
  const reader = response.body!.getReader();
  let text = "";
  while (!isEnough(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  await reader.cancel();
  return text;
}

describe("a stream of events", () => {
  test("events carry id, name and one line of data, and a reader resumes by its last id", async () => {
    const events = [1, 2, 3, 4].map((seq) => ({
      id: seq,
      event: "step.completed",
      data: { seq, text: "a\nb" },
    }));
    const routes = [
      streamRoute(async (_, stream) => {
        stream.open();
        const after = Number(stream.lastEventId ?? 0);
        for (const event of events) if (event.id > after) stream.send(event);
      }),
    ];
    await using server = await startTestServer(routes);
    const first = await server.call("/v1/stream");
    expect(first.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(first.headers.get("cache-control")).toBe("no-store");
    expect(first.headers.get("x-content-type-options")).toBe("nosniff");
    const text = await first.text();
    expect(text).toContain('id: 1\nevent: step.completed\ndata: {"seq":1,"text":"a\\nb"}\n\n');
    const rest = await (await server.call("/v1/stream", { headers: { "last-event-id": "3" } })).text();
    expect(rest.match(/^id: .*/gm)).toEqual(["id: 4"]);
  });

  test("what fails before the stream opens is an ordinary problem, afterwards an error event", async () => {
    const fail = (): never => {
      throw new HomeostatError("RUN_NOT_FOUND", "There is no run run_1");
    };
    await using early = await startTestServer([streamRoute(async () => fail())]);
    const response = await early.call("/v1/stream");
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      404,
      "RUN_NOT_FOUND",
    ]);
    await using late = await startTestServer([
      streamRoute(async (_, stream) => {
        stream.send({ data: 1 });
        fail();
      }),
    ]);
    const text = await (await late.call("/v1/stream")).text();
    expect(text).toContain('event: error\ndata: {"type":"/reference#RUN_NOT_FOUND"');
  });

  test("a comment shows every 15 seconds that the server is still there", async () => {
    const clock = createManualClock();
    const opened = Promise.withResolvers<void>();
    const routes = [
      streamRoute(async ({ signal }, stream) => {
        stream.open();
        opened.resolve();
        await untilAborted(signal);
      }),
    ];
    await using server = await startTestServer(routes, { clock });
    const response = await server.call("/v1/stream");
    await opened.promise;
    clock.advance(14_999);
    clock.advance(1);
    expect(await readUntil(response, (text) => text.includes("still here"))).toContain(": still here\n\n");
    await server.server.stop(500_000);
  });

  test("a reader that does not read is sent away once the buffer is full", async () => {
    const ended = Promise.withResolvers<unknown>();
    let sent = 0;
    const routes = [
      streamRoute(async (_, stream) => {
        const data = "x".repeat(10_000);
        // The kernel's own buffers take some megabytes before ours fills.
        for (; sent < 20_000 && !stream.signal.aborted; sent++) {
          stream.send({ id: sent, data });
          if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        ended.resolve(stream.signal.reason);
      }),
    ];
    await using server = await startTestServer(routes, { limits: { streamBufferBytes: 100_000 } });
    const socket = connect(server.port, "127.0.0.1");
    socket.pause();
    socket.write(`GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n`);
    expect(await ended.promise).toMatchObject({ message: expect.stringContaining("too slow") as string });
    expect(sent).toBeLessThan(20_000);
    socket.destroy();
  });

  test("replaying history waits for the reader instead of filling the buffer", async () => {
    const routes = [
      streamRoute(async (_, stream) => {
        const data = "x".repeat(10_000);
        for (let id = 0; id < 2_000; id++) {
          stream.send({ id, data });
          await stream.drained();
        }
      }),
    ];
    await using server = await startTestServer(routes, { limits: { streamBufferBytes: 100_000 } });
    const text = await (await server.call("/v1/stream")).text();
    expect(text.match(/^id: /gm)?.length).toBe(2_000);
  });

  test("when the reader leaves, the handler's signals are aborted and the place is free again", async () => {
    const left = Promise.withResolvers<void>();
    let isFirst = true;
    const routes = [
      streamRoute(async ({ signal }, stream) => {
        stream.send({ data: "hello" });
        if (!isFirst) return;
        isFirst = false;
        await untilAborted(signal);
        left.resolve();
      }),
    ];
    await using server = await startTestServer(routes, { limits: { maxStreams: 1 } });
    const first = await server.call("/v1/stream");
    const busy = await server.call("/v1/stream");
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "5"]);
    await readUntil(first, (text) => text.includes("hello"));
    await left.promise;
    expect((await server.call("/v1/stream")).status).toBe(200);
  });

  test("when the server stops, readers are told to come back and the stop does not wait for them", async () => {
    const routes = [
      streamRoute(async ({ signal }, stream) => {
        stream.open();
        await untilAborted(signal);
      }),
    ];
    await using server = await startTestServer(routes);
    const response = await server.call("/v1/stream");
    const startedAt = performance.now();
    await server.server.stop(10_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(await response.text()).toContain(": the server is stopping; come back with Last-Event-ID");
  });
});

test("an event is written as the standard asks", () => {
  expect(formatEvent({ data: null })).toBe("data: null\n\n");
  expect(formatEvent({ id: 7, event: "end", data: { a: "\r\n" } })).toBe(
    'id: 7\nevent: end\ndata: {"a":"\\r\\n"}\n\n',
  );
});
