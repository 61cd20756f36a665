import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, shortDigest, shortId } from "./quantity.ts";

describe("formatBytes", () => {
  test("keeps three figures at most", () => {
    expect([0, 812, 12_400, 999_960, 3_100_000, 123_400_000].map(formatBytes)).toEqual([
      "0 B",
      "812 B",
      "12.4 KB",
      "1.0 MB",
      "3.1 MB",
      "123 MB",
    ]);
  });
});

test("formatCount agrees with the number", () => {
  expect(formatCount(1, "run")).toBe("1 run");
  expect(formatCount(0, "run")).toBe("0 runs");
  expect(formatCount(1204, "entry", "entries")).toBe("1,204 entries");
});

test("shortDigest drops the algorithm and says that something follows", () => {
  expect(shortDigest("sha256:0123456789abcdef")).toBe("0123456789…");
  expect(shortDigest("abc")).toBe("abc");
});

test("shortId keeps the end, where time-ordered ids differ", () => {
  expect(shortId("run_01JD3ZK0Q4W8X9T7H2M6")).toBe("X9T7H2M6");
  expect(shortId("a1")).toBe("a1");
});
