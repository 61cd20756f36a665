import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTimeScale, findIdleGaps, ratioAt, roundStep, ticksOf } from "./time-scale.ts";

const span = { fromMs: 1_000, toMs: 101_000 };

describe("findIdleGaps", () => {
  test("finds the wait between two bursts of work", () => {
    const active = [
      { fromMs: 91_000, toMs: 101_000 },
      { fromMs: 1_000, toMs: 6_000 },
      { fromMs: 4_000, toMs: 8_000 },
    ];
    expect(findIdleGaps(span, active)).toEqual([{ fromMs: 8_000, toMs: 91_000 }]);
  });

  test("leaves short pauses alone", () => {
    expect(
      findIdleGaps({ fromMs: 0, toMs: 10_000 }, [
        { fromMs: 0, toMs: 5_000 },
        { fromMs: 6_000, toMs: 10_000 },
      ]),
    ).toEqual([]);
  });

  test("counts a run in which nothing has happened yet as idle", () => {
    expect(findIdleGaps(span, [])).toEqual([span]);
  });
});

describe("createTimeScale", () => {
  test("is linear without gaps", () => {
    const scale = createTimeScale(span, []);
    expect(ratioAt(scale, 51_000)).toBeCloseTo(0.5);
  });

  test("gives a squeezed wait a small fixed share and work the rest", () => {
    const scale = createTimeScale(span, [{ fromMs: 11_000, toMs: 91_000 }]);
    expect(ratioAt(scale, 11_000)).toBeCloseTo(0.46);
    expect(ratioAt(scale, 91_000)).toBeCloseTo(0.54);
  });

  test("survives a span without length and a run that only waited", () => {
    expect(ratioAt(createTimeScale({ fromMs: 5, toMs: 5 }, []), 5)).toBe(0);
    expect(ratioAt(createTimeScale(span, [span]), 51_000)).toBeCloseTo(0.5);
  });

  test("never runs backwards and covers exactly the width, whatever was active", () => {
    const interval = fc
      .tuple(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 30_000 }))
      .map(([fromMs, lengthMs]) => ({ fromMs, toMs: fromMs + lengthMs }));
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 12 }), (active) => {
        const scale = createTimeScale(span, findIdleGaps(span, active));
        let last = 0;
        for (let atMs = 0; atMs <= 110_000; atMs += 500) {
          const ratio = ratioAt(scale, atMs);
          expect(ratio).toBeGreaterThanOrEqual(last - 1e-9);
          expect(ratio).toBeLessThanOrEqual(1 + 1e-9);
          last = ratio;
        }
        expect(ratioAt(scale, span.fromMs)).toBe(0);
        expect(scale.segments.at(-1)?.toRatio).toBeCloseTo(1);
      }),
    );
  });
});

describe("ticksOf", () => {
  test("puts round labels on a linear axis", () => {
    expect(ticksOf(createTimeScale({ fromMs: 0, toMs: 10_000 }, []), 5).map((tick) => tick.label)).toEqual([
      "0",
      "2 s",
      "4 s",
      "6 s",
      "8 s",
    ]);
  });

  test("puts none inside a squeezed wait", () => {
    const scale = createTimeScale(span, [{ fromMs: 11_000, toMs: 91_000 }]);
    expect(ticksOf(scale, 5).every((tick) => tick.ratio <= 0.46 || tick.ratio >= 0.54)).toBe(true);
  });
});

test("roundStep is never below what was wanted", () => {
  expect([0.2, 3, 700, 61_000, 200_000_000].map(roundStep)).toEqual([1, 5, 1_000, 120_000, 259_200_000]);
});
