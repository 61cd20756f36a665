import { expect, test } from "vitest";
import { readInputs } from "../new-task/input-values.ts";
import { changedMembers, definitionsOf, needsWord } from "./again-plan.ts";

test("inputs that are left as the source had them are not sent", () => {
  const definitions = definitionsOf(
    { item: { type: "string" }, days: { type: "integer", default: 3 } },
    { item: "a", days: 9 },
  );
  expect(readInputs(definitions, {})).toEqual({ inputs: {}, problems: {} });
  expect(readInputs(definitions, { days: "5" })).toEqual({ inputs: { days: 5 }, problems: {} });
});

test("only arguments that differ replace those of the workflow", () => {
  expect(changedMembers({ a: 1, b: [1] }, { a: 1, b: [2], c: null })).toEqual({ b: [2], c: null });
  expect(changedMembers({ a: 1 }, { a: 1 })).toEqual({});
});

test("unsafe effects, and lists too long to be shown whole, want a word", () => {
  const effect = (name: "idempotent" | "unsafe") =>
    ({ step: "s", tool: "t", effect: name, resource: "", summary: "", outcome: "completed" }) as const;
  expect(needsWord({ repeats: [effect("idempotent")], repeatsCount: 1 })).toBe(false);
  expect(needsWord({ repeats: [effect("unsafe")], repeatsCount: 1 })).toBe(true);
  expect(needsWord({ repeats: [effect("idempotent")], repeatsCount: 300 })).toBe(true);
});
