import { expect, test } from "vitest";
import { valueText } from "./value-text.ts";

test("texts stand as they are, other values as JSON, nothing as nothing", () => {
  expect(valueText("a b")).toBe("a b");
  expect(valueText(null)).toBe("null");
  expect(valueText({ a: 1 })).toBe('{\n  "a": 1\n}');
  expect(valueText(undefined)).toBeNull();
});

test("what is very long is cut", () => {
  expect(valueText("x".repeat(5_000))).toHaveLength(2_001);
});
