import { expect, test } from "vitest";
import { nearestName, suggestName } from "./nearest.ts";

test("a slip of one or two letters finds the name that was meant", () => {
  const known = ["steps", "inputs", "outputs", "description"];
  expect(nearestName("step", known)).toBe("steps");
  expect(nearestName("inptus", known)).toBe("inputs");
  expect(nearestName("Descriptoin", known)).toBe("description");
});

test("a name far from all has no neighbour", () => {
  expect(nearestName("zebra", ["steps", "inputs"])).toBeUndefined();
  expect(nearestName("x".repeat(65), ["x".repeat(64)])).toBeUndefined();
  expect(nearestName("id", [])).toBeUndefined();
});

test("the suggestion lists what is known when nothing is near", () => {
  expect(suggestName("zebra", ["steps", "inputs"])).toBe("known here: steps, inputs");
  expect(suggestName("steps2", ["steps"])).toBe("did you mean `steps`?");
  expect(suggestName("x", [])).toBe("there are none here");
  expect(
    suggestName(
      "zebra",
      Array.from({ length: 14 }, (_, index) => `name${index}`),
    ),
  ).toMatch(/name11, \.\.\.$/);
});
