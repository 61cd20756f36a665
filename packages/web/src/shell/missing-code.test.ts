import { expect, test } from "vitest";
import { isMissingCode, mayReload } from "./missing-code.ts";

test("isMissingCode knows how each engine says it", () => {
  const says = (message: string): boolean => isMissingCode(new TypeError(message));
  expect(says("Failed to fetch dynamically imported module: http://x/assets/a.js")).toBe(true);
  expect(says("error loading dynamically imported module: http://x/assets/a.js")).toBe(true);
  expect(says("Unable to preload CSS for /assets/a.css")).toBe(true);
  expect(says("x is not a function")).toBe(false);
  expect(isMissingCode("odd")).toBe(false);
});

test("mayReload allows one reload and then a pause", () => {
  expect(mayReload(0, 1_800_000_000_000)).toBe(true);
  expect(mayReload(1_000_000, 1_005_000)).toBe(false);
});
