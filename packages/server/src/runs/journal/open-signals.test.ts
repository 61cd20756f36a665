import { expect, test } from "vitest";
import { keepSignals, longestSignals, mostSignals } from "./open-signals.ts";
import type { ReceivedSignal } from "./open-signals.ts";

function received(name: string, count: number, data = "x"): readonly ReceivedSignal[] {
  let signals: readonly ReceivedSignal[] = [];
  for (let seq = 1; seq <= count; seq += 1)
    signals = keepSignals(signals, { seq, name, data, by: "eve", atMs: seq });
  return signals;
}

test("of one name the newest are kept, and those of other names whatever comes", () => {
  const other = received("other", 1);
  let signals = other;
  for (let seq = 2; seq <= mostSignals + 5; seq += 1)
    signals = keepSignals(signals, { seq, name: "paid", data: seq, by: "eve", atMs: 0 });
  expect(signals).toHaveLength(mostSignals + 1);
  expect(signals.slice(0, 2).map(({ seq }) => seq)).toEqual([1, 6]);
  expect(signals.at(-1)?.seq).toBe(mostSignals + 5);
});

test("long data counts by its length, and the newest is kept in any case", () => {
  const half = "x".repeat(longestSignals / 2 - 2);
  expect(received("paid", 5, half).map(({ seq }) => seq)).toEqual([4, 5]);
  expect(received("paid", 5, half + half + half).map(({ seq }) => seq)).toEqual([5]);
});
