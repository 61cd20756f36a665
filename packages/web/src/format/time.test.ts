import { describe, expect, test } from "vitest";
import { formatAgo, millisOf } from "./time.ts";

const now = Date.UTC(2026, 10, 21, 12, 0, 0);

describe("formatAgo", () => {
  test("grows coarser with distance", () => {
    const ago = (seconds: number): string => formatAgo(now - seconds * 1000, now);
    expect([2, 40, 300, 3 * 3600, 30 * 3600].map(ago)).toEqual([
      "just now",
      "40 s ago",
      "5 min ago",
      "3 h ago",
      "yesterday",
    ]);
    expect(ago(10 * 86_400)).toBe("11 Nov 2026");
  });

  test("calls a moment slightly ahead of this clock just now", () => {
    expect(formatAgo(now + 900, now)).toBe("just now");
  });
});

describe("millisOf", () => {
  test("answers null for no time and for text that is none", () => {
    expect(millisOf(null)).toBeNull();
    expect(millisOf("soon")).toBeNull();
    expect(millisOf("2026-11-21T12:00:00.000Z")).toBe(now);
  });
});
