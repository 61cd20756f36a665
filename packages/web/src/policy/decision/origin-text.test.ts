import { expect, test } from "vitest";
import { instructedText, originTone, readSource, sortOrigins } from "./origin-text.ts";

test("a source that is a step leads to it", () => {
  expect(readSource("step each/3/fetch, output.text")).toEqual({
    text: "step each/3/fetch, output.text",
    step: "each/3/fetch",
    place: "output.text",
  });
  expect(readSource("step fetch").step).toBe("fetch");
  expect(readSource("input folder").step).toBeNull();
  expect(readSource("the step of a stranger").step).toBeNull();
});

test("what strangers say, and what speaks to the assistant, stands out and comes first", () => {
  expect(originTone({ from: "trusted", instructed: 0 })).toBe("idle");
  expect(originTone({ from: "invented", instructed: 0 })).toBe("waiting");
  expect(originTone({ from: "mixed", instructed: 80 })).toBe("failed");
  const origins = [
    { from: "trusted", instructed: 0 },
    { from: "untrusted-only", instructed: 40 },
    { from: "mixed", instructed: 70 },
  ] as const;
  expect(sortOrigins(origins).map(({ from }) => from)).toEqual(["mixed", "untrusted-only", "trusted"]);
  expect(instructedText(61.4)).toContain("speaks to the assistant");
});
