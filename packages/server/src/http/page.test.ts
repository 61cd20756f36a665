import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { formatCursor, parseCursor, toPage } from "./page.ts";

const shape = z.tuple([z.number(), z.string()]);

describe("cursor pages", () => {
  test("a cursor comes back as the key it was made from", () => {
    fc.assert(
      fc.property(fc.integer(), fc.string({ unit: "binary" }), (time, id) => {
        fc.pre(!id.includes("\0"));
        expect(parseCursor(formatCursor([time, id.toWellFormed()]), shape)).toEqual([
          time,
          id.toWellFormed(),
        ]);
      }),
    );
  });

  test("anything else is refused, never half understood", () => {
    const shapeless = ["", "!!", formatCursor(["a", 1]), formatCursor([1]), formatCursor([1, "a", 2])];
    for (const cursor of [...shapeless, formatCursor([1, "a\0"]), formatCursor([1, "\ud800"])]) {
      expect(() => parseCursor(cursor, shape)).toThrow(
        expect.objectContaining({ code: "REQUEST_INVALID" }) as Error,
      );
    }
  });

  test("walking the pages visits every row once and ends with null", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 7 }), (count, limit) => {
        const rows = Array.from({ length: count }, (_, index) => index);
        const seen: number[] = [];
        let from = 0;
        for (let pages = 0; pages <= count + 1; pages++) {
          const page = toPage(rows.slice(from, from + limit + 1), limit, (row) => [row]);
          seen.push(...page.data);
          if (page.nextCursor === null) break;
          from = parseCursor(page.nextCursor, z.tuple([z.number()]))[0] + 1;
        }
        expect(seen).toEqual(rows);
      }),
    );
  });
});
