import { expect, test } from "vitest";
import { offsetOf } from "./go-to-line.ts";

test("offsetOf counts lines and columns from 1", () => {
  const text = "version: 1\nname: x\n";
  expect(text.slice(offsetOf(text, 2, 7))).toBe("x\n");
  expect(offsetOf(text, 1, 1)).toBe(0);
});

test("places beyond the text are its end, beyond the line the line's end", () => {
  expect(offsetOf("ab\ncd", 9, 1)).toBe(5);
  expect(offsetOf("ab\ncd", 1, 50)).toBe(2);
});
