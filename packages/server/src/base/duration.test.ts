import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, longestDurationMs, parseDuration } from "./duration.ts";

test("durations are read with their units", () => {
  expect(["500ms", "30s", "5m", "1h30m", "7d", "1.5s", "0s"].map(parseDuration)).toEqual([
    500, 30_000, 300_000, 5_400_000, 604_800_000, 1_500, 0,
  ]); // prettier-ignore
});

test("anything else is refused", () => {
  for (const text of [
    "",
    "30",
    "s",
    "30 s",
    "-5s",
    "1y",
    "5S",
    "1e3s",
    "367d",
    "1s".repeat(30),
    "9".repeat(12) + "s",
  ]) {
    expect(parseDuration(text), text).toBeUndefined();
  }
});

test("what is formatted reads back the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: longestDurationMs }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
  expect(formatDuration(5_400_000)).toBe("1h30m");
  expect([0, 0.4].map(formatDuration)).toEqual(["0s", "0s"]);
});
