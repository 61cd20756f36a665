import { describe, expect, test } from "vitest";
import { foldText, isShortList } from "./json-shape.ts";

describe("foldText", () => {
  test("leaves a short line where it is", () => {
    expect(foldText("workspace/stale/logo.png")).toEqual({ kind: "line" });
  });

  test("shows a short program whole", () => {
    expect(foldText("a\nb")).toEqual({ kind: "block", start: "a\nb", rest: null });
  });

  test("shows the start of a long one and says how long it is", () => {
    const program = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
    expect(foldText(program)).toMatchObject({ kind: "block", rest: "40 lines" });
    expect(foldText("x".repeat(5_000))).toMatchObject({ kind: "block", rest: "5,000 characters" });
  });
});

test("isShortList takes only few plain values", () => {
  expect(isShortList(["admin", "approver"])).toBe(true);
  expect(isShortList([{ path: "a" }])).toBe(false);
  expect(isShortList(Array.from({ length: 20 }, () => 1))).toBe(false);
});
