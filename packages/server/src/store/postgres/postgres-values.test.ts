import { expect, test } from "vitest";
import { postgresValues } from "./postgres-values.ts";

/** Cast, because the driver's type has one overload for each type it knows, and ours answers for all. */
const parserOf = postgresValues.getTypeParser as (type: number) => (value: string) => unknown;

test.each([
  ["true", 16, "t", 1],
  ["false", 16, "f", 0],
  ["bytes", 17, "\\x00ff", new Uint8Array([0, 255])],
  ["a whole number", 20, "9007199254740991", 9_007_199_254_740_991],
  ["a fraction", 701, "0.5", 0.5],
  ["a sum of whole numbers", 1700, "12", 12],
  ["an average", 1700, "1.25", 1.25],
  ["a text", 25, "x", "x"],
])("%s is read as the store's value", (_what, type, sent, value) => {
  expect(parserOf(type)(sent)).toEqual(value);
});

test.each([20, 1700])("a whole number of type %i that would be rounded is refused", (type) => {
  expect(() => parserOf(type)("9007199254740993")).toThrow(
    expect.objectContaining({ code: "INTERNAL", message: expect.stringContaining("9007199254740993") }),
  );
});
