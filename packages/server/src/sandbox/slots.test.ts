/** Tests of the bound on programs at one time. */
import { describe, expect, test } from "vitest";
import { createSlots } from "./slots.ts";

const never = new AbortController().signal;

describe("slots", () => {
  test("as many run as allowed, the next ones wait in order, and one more is refused", async () => {
    const slots = createSlots({ maxRunning: 2, maxWaiting: 2 });
    const order: string[] = [];
    const first = await slots.take(never);
    const second = await slots.take(never);
    const third = slots.take(never).then((release) => (order.push("third"), release));
    const fourth = slots.take(never).then((release) => (order.push("fourth"), release));
    await expect(slots.take(never)).rejects.toMatchObject({
      code: "SANDBOX_BUSY",
      message: "2 programs run and 2 wait already",
      data: { transient: true },
    });
    expect(order).toEqual([]);
    first();
    const release = await third;
    expect(order).toEqual(["third"]);
    second();
    (await fourth)();
    release();
    (await slots.take(never))();
  });

  test("who is aborted while waiting leaves the line", async () => {
    const slots = createSlots({ maxRunning: 1, maxWaiting: 1 });
    const release = await slots.take(never);
    const gone = new AbortController();
    const waiting = slots.take(gone.signal);
    gone.abort(new Error("cancelled"));
    await expect(waiting).rejects.toThrow("cancelled");
    await expect(slots.take(gone.signal)).rejects.toThrow("cancelled");
    const next = slots.take(never);
    release();
    (await next)();
  });
});
