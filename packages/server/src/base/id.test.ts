import fc from "fast-check";
import { expect, test } from "vitest";
import { createId, createSalt, idsFrom } from "./id.ts";

test("an id is its prefix and a version 7 UUID of RFC 9562 without dashes", () => {
  // The example of RFC 9562 appendix A.6.
  const random = (): string => "00000000-0000-4cc3-98c4-dc0c0c07398f";
  expect(createId("run", 0x017f22e279b0, random)).toBe("run_017f22e279b07cc398c4dc0c0c07398f");
});

test("version and variant hold whatever the time is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (nowMs) => {
      expect(createId("evt", nowMs)).toMatch(/^evt_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    }),
  );
});

test("ids of one kind sort by the millisecond of their creation", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 48 - 1 }), { minLength: 2 }), (times) => {
      const byTime = [...new Set(times)].sort((a, b) => a - b).map((time) => createId("run", time));
      expect([...byTime].sort()).toEqual(byTime);
    }),
  );
});

test("the bound of a time stands after every id that is older, and before all others", () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(time, time, (made, bound) => {
      expect(createId("run", made) < idsFrom("run", bound)).toBe(made < bound);
    }),
    {
      examples: [
        [5, 5],
        [4, 5],
        [0, 0],
      ],
    },
  );
  expect(idsFrom("run", -1)).toBe(idsFrom("run", 0));
});

test("ten thousand ids of one millisecond differ", () => {
  expect(new Set(Array.from({ length: 10_000 }, () => createId("run", 1))).size).toBe(10_000);
});

test("a salt is 32 hex digits and never the same", () => {
  expect(createSalt()).toMatch(/^[0-9a-f]{32}$/);
  expect(createSalt()).not.toBe(createSalt());
});
