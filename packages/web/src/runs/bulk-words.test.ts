import { expect, test } from "vitest";
import { bulkText } from "./bulk-words.ts";

test("a partial failure is said", () => {
  expect(bulkText("pause", { done: 3, failed: 0 })).toBe("3 runs paused");
  expect(bulkText("rerun", { done: 1, failed: 2 })).toBe("1 run made again, 2 not");
  expect(bulkText("discard", { done: 0, failed: 4 })).toBe("None discarded");
});
