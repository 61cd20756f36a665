import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { createMessageBell } from "./message-bell.ts";

test("a ring before the wait is heard, until somebody has begun to read", async () => {
  const bell = createMessageBell();
  bell.ring();
  await bell.next(new AbortController().signal);
  expect(bell.isRinging()).toBe(true);
  bell.silence();
  const over = new AbortController();
  const waiting = bell.next(over.signal);
  over.abort();
  await waiting;
  expect(bell.isRinging()).toBe(false);
});

test("thousands of rings leave nothing on the signal of the one who waits", async () => {
  const bell = createMessageBell();
  const over = new AbortController();
  for (let ring = 0; ring < 1_000; ring += 1) {
    bell.silence();
    const waiting = bell.next(over.signal);
    bell.ring();
    await waiting;
  }
  expect(getEventListeners(over.signal, "abort")).toEqual([]);
});
