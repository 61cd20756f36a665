import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCountdown, formatDuration, formatSpan, formatTick } from "./duration.ts";

describe("formatDuration", () => {
  test("chooses the unit by size", () => {
    expect(formatDuration(0)).toBe("0 ms");
    expect(formatDuration(839.6)).toBe("840 ms");
    expect(formatDuration(3_420)).toBe("3.4 s");
    expect(formatDuration(125_000)).toBe("2 min 05 s");
    expect(formatDuration(3_840_000)).toBe("1 h 04 min");
    expect(formatDuration(273_600_000)).toBe("3 d 4 h");
  });

  test("never shows 60 seconds, 60 minutes or 1000 ms", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (ms) => {
        expect(formatDuration(ms)).not.toMatch(/\b(1000 ms|60(\.0)? s|60 min)\b/);
      }),
    );
  });

  test("takes a clock that stepped back as no time at all", () => {
    expect(formatDuration(-40)).toBe("0 ms");
  });
});

describe("formatCountdown", () => {
  test("reaches zero only at the end", () => {
    expect(formatCountdown(1)).toBe("0:01");
    expect(formatCountdown(0)).toBe("0:00");
    expect(formatCountdown(760_000)).toBe("12:40");
    expect(formatCountdown(3_729_000)).toBe("1:02:09");
  });
});

describe("formatSpan", () => {
  test("says a written time in the largest unit that loses nothing", () => {
    expect([1_000, 60_000, 90_000, 3_600_000, 5_400_000, 86_400_000, 250].map(formatSpan)).toEqual([
      "1 s",
      "1 min",
      "90 s",
      "1 h",
      "90 min",
      "1 d",
      "250 ms",
    ]);
  });
});

describe("formatTick", () => {
  test("leaves out what says nothing", () => {
    expect([0, 250, 1500, 2000, 120_000, 150_000, 7_200_000, 5_400_000].map(formatTick)).toEqual([
      "0",
      "250 ms",
      "1.5 s",
      "2 s",
      "2 min",
      "2:30",
      "2 h",
      "1 h 30",
    ]);
  });
});
