/** Tests of what a program may use. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLimits, defaultLimits, limitBounds, mergeLimits, requireLimits } from "./limits.ts";
import type { SandboxLimits } from "./sandbox.ts";

const names = Object.keys(limitBounds) as (keyof SandboxLimits)[];

describe("limits", () => {
  test("defaults lie within their bounds, and every bound says its unit and why", () => {
    expect(checkLimits(defaultLimits)).toEqual([]);
    expect(defaultLimits.wallMs).toBe(30_000);
    expect(limitBounds.wallMs.max).toBe(600_000);
    for (const name of names) expect(limitBounds[name].why.length).toBeGreaterThan(20);
  });

  test("a later layer wins, and undefined in it changes nothing", () => {
    const merged = mergeLimits({ wallMs: 1000, processes: 10 }, { wallMs: undefined, processes: 20 });
    expect(merged).toEqual({ ...defaultLimits, wallMs: 1000, processes: 20 });
  });

  test("merging keeps exactly the known names", () => {
    const layer = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.option(fc.integer(), { nil: undefined })])),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
        const merged = mergeLimits(...layers);
        expect(Object.keys(merged).sort()).toEqual([...names].sort());
        for (const name of names) {
          const given = layers.map((each) => each[name]).filter((each) => each !== undefined);
          expect(merged[name]).toBe(given.at(-1) ?? defaultLimits[name]);
        }
      }),
    );
  });

  test("a value is allowed exactly when it is a whole number within its bounds", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.oneof(fc.integer(), fc.double(), fc.bigInt().map(Number)),
        (name, value) => {
          const { min, max } = limitBounds[name];
          const isFine = Number.isInteger(value) && value >= min && value <= max;
          expect(checkLimits(mergeLimits({ [name]: value })).length).toBe(isFine ? 0 : 1);
        },
      ),
    );
  });

  test("limits out of bounds are refused by name and never changed", () => {
    expect(() => requireLimits(defaultLimits)).not.toThrow();
    expect(() => requireLimits(mergeLimits({ wallMs: 600_001, processes: Number.NaN }))).toThrow(
      expect.objectContaining({
        code: "SANDBOX_REQUEST_INVALID",
        message:
          "wallMs is 600001; it may be 10 to 600000 milliseconds; processes is NaN; it may be 8 to 1024 count",
        details: [
          expect.objectContaining({ path: "limits.wallMs" }),
          expect.objectContaining({ path: "limits.processes" }),
        ],
      }),
    );
  });
});
