import { describe, expect, test } from "vitest";
import { followStream, reconnectDelayMs, type StreamMessage, type StreamState } from "./sse.ts";

interface Seen {
  readonly messages: string[];
  readonly states: StreamState[];
  readonly resumedFrom: (string | null)[];
}

/** Serves each text once, as one connection; after the last the stream is aborted. */
async function follow(bodies: readonly (string | number)[], stopAt?: string): Promise<Seen> {
  const seen: Seen = { messages: [], states: [], resumedFrom: [] };
  const controller = new AbortController();
  let connections = 0;
  await followStream(
    {
      address: "/v1/stream",
      signal: controller.signal,
      onMessage: (message: StreamMessage) => {
        seen.messages.push(`${message.event}=${message.data}`);
        return message.event === stopAt ? false : undefined;
      },
      onState: (state) => seen.states.push(state),
    },
    {
      fetch: async (_address, init) => {
        seen.resumedFrom.push(new Headers(init?.headers).get("last-event-id"));
        const body = bodies[connections];
        connections += 1;
        if (body === undefined) {
          controller.abort();
          throw new TypeError("connection refused");
        }
        return typeof body === "number" ? new Response("", { status: body }) : new Response(body);
      },
      sleep: async () => undefined,
      random: () => 0,
    },
  );
  return seen;
}

describe("followStream", () => {
  test("delivers events of any name and passes over heartbeats", async () => {
    const seen = await follow([": beat\n\nevent: step.started\nid: 1\ndata: {}\n\ndata: plain\n\n"]);
    expect(seen.messages).toEqual(["step.started={}", "message=plain"]);
  });

  test("comes back after a cut and asks for what follows the last event it saw", async () => {
    const seen = await follow(["id: 7\ndata: a\n\n", "id: 8\ndata: b\n\n"]);
    expect(seen.messages).toEqual(["message=a", "message=b"]);
    expect(seen.resumedFrom).toEqual([null, "7", "8"]);
    expect(seen.states).toContain("offline");
  });

  test("stops for good when the reader has had enough", async () => {
    const seen = await follow(
      ["event: end\ndata: {}\n\nevent: late\ndata: {}\n\n", "data: never\n\n"],
      "end",
    );
    expect(seen.messages).toEqual(["end={}"]);
    expect(seen.states.at(-1)).toBe("ended");
  });

  test("does not knock again when it is refused, but does when the server is ill or busy", async () => {
    expect((await follow([401, "data: never\n\n"])).messages).toEqual([]);
    expect((await follow([503, 429, "data: here\n\n"])).messages).toEqual(["message=here"]);
  });
});

test("reconnectDelayMs doubles from half a second up to ten", () => {
  expect([1, 2, 3, 6, 20].map((failures) => reconnectDelayMs(failures, 0))).toEqual([
    500, 1000, 2000, 10_000, 10_000,
  ]);
  expect(reconnectDelayMs(1, 1)).toBe(375);
});
