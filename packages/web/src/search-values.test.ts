import { expect, test } from "vitest";
import { readChoice, readNumber, readText } from "./search-values.ts";

test("readChoice takes only what is offered", () => {
  expect(readChoice({ state: "active" }, "state", ["active", "done"])).toEqual({ state: "active" });
  expect(readChoice({ state: "odd" }, "state", ["active", "done"])).toEqual({});
});

test("readText takes numbers as text and leaves out the rest", () => {
  expect(readText({ id: 42 }, "id")).toEqual({ id: "42" });
  expect(readText({ id: ["a"] }, "id")).toEqual({});
  expect(readText({ id: "" }, "id")).toEqual({});
});

test("readNumber takes whole numbers from 0", () => {
  expect(readNumber({ line: "7" }, "line")).toEqual({ line: 7 });
  expect(readNumber({ line: 0 }, "line")).toEqual({ line: 0 });
  for (const line of [-1, 1.5, "x", "", undefined]) expect(readNumber({ line }, "line")).toEqual({});
});
