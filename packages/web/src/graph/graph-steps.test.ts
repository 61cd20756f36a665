import { expect, test } from "vitest";
import { placeInFile, stepsByPlace } from "./graph-steps.ts";

test("rounds of loops fall together, names of branches stay", () => {
  expect(placeInFile("each/12/inner/3/read")).toBe("each/inner/read");
  expect(placeInFile("both/stock/count")).toBe("both/stock/count");
});

test("a node leads to the round that gives it its state", () => {
  const steps = [
    { path: "each", state: "failed" },
    { path: "each/0/read", state: "completed" },
    { path: "each/1/read", state: "failed" },
    { path: "each/2/read", state: "completed" },
  ] as const;
  const places = stepsByPlace(steps, new Map([["each/read", "failed"]]));
  expect(places.get("each/read")).toBe("each/1/read");
  expect(places.get("each")).toBe("each");
});
