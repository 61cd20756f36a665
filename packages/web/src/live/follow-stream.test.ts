import { describe, expect, test } from "vitest";
import type { StreamEvent } from "../api/calls.ts";
import { followStream } from "./follow-stream.ts";

interface Seen {
  readonly events: string[];
  readonly states: string[];
  readonly resumedAfter: (string | number | undefined)[];
}

/** The client's error as it is told apart: by its name. */
function apiError(facts: { readonly code: string; readonly status: number; readonly detail: string }): Error {
  return Object.assign(new Error(facts.detail), { name: "ApiError", errors: [], ...facts });
}

const event = (id: string, name = "run"): StreamEvent => ({ id, event: name, data: {} });

/** Each attempt yields its events and then throws its error, if it has one. */
async function follow(attempts: readonly { events?: StreamEvent[]; error?: Error }[]): Promise<Seen> {
  const seen: Seen = { events: [], states: [], resumedAfter: [] };
  const controller = new AbortController();
  let attempt = 0;
  await followStream({
    after: 3,
    signal: controller.signal,
    async *open({ after, onState }) {
      seen.resumedAfter.push(after);
      const { events = [], error } = attempts[attempt] ?? {};
      attempt += 1;
      if (events.length > 0) onState("live");
      yield* events;
      if (error !== undefined) throw error;
    },
    onEvent: ({ id }) => seen.events.push(String(id)),
    onState: (state, status) => seen.states.push(status === 0 ? state : `${state} ${status}`),
    sleep: async () => undefined,
  });
  return seen;
}

const down = apiError({ code: "SERVER_UNREACHABLE", status: 0, detail: "" });
const ill = apiError({ code: "INTERNAL", status: 500, detail: "" });
const refused = apiError({ code: "AUTHENTICATION_REQUIRED", status: 401, detail: "" });

describe("followStream", () => {
  test("waits for a server that is not there yet", async () => {
    const seen = await follow([{ error: down }, { error: down }, { events: [event("4")] }]);
    expect(seen.states).toEqual(["connecting", "offline", "offline", "live", "ended"]);
    expect(seen.events).toEqual(["4"]);
  });

  test("goes on after the last event it saw", async () => {
    const seen = await follow([{ events: [event("4"), event("5")], error: ill }, { events: [event("6")] }]);
    expect(seen.resumedAfter).toEqual([3, "5"]);
    expect(seen.events).toEqual(["4", "5", "6"]);
  });

  test("stops and says why when the server refuses for good", async () => {
    const seen = await follow([{ error: refused }, { events: [event("4")] }]);
    expect(seen.states).toEqual(["connecting", "ended 401"]);
    expect(seen.events).toEqual([]);
  });
});
