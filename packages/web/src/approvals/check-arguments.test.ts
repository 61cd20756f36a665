import { expect, test } from "vitest";
import { membersOf, ownArguments, readArguments } from "./check-arguments.ts";

const schema = {
  type: "object",
  properties: {
    to: { type: "string", minLength: 1 },
    amount: { type: "integer", minimum: 1, maximum: 100 },
    mode: { enum: ["fast", "careful"] },
    files: {
      type: "array",
      items: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
    },
    body: { anyOf: [{ type: "string" }, { type: "null" }] },
  },
  required: ["to"],
  additionalProperties: false,
};

function problems(text: string): readonly string[] {
  const read = readArguments(text, schema);
  return read.kind === "broken" ? [read.text] : read.problems.map(({ path, text: why }) => `${path} ${why}`);
}

test("arguments that fit have no problem", () => {
  expect(
    problems('{ "to": "a", "amount": 7, "mode": "fast", "files": [{ "path": "x" }], "body": null }'),
  ).toEqual([]);
});

test("each wrong argument is named with its place", () => {
  expect(problems('{ "amount": 200, "mode": "wild", "files": [{}], "extra": 1, "body": 3 }')).toEqual([
    "to is needed",
    "amount must be at most 100",
    'mode must be one of "fast", "careful"',
    "files.0.path is needed",
    "extra is not an argument of this tool",
    "body must be string, is number",
  ]);
  expect(problems('{ "to": 5, "amount": 1.5 }')).toEqual([
    "to must be string, is number",
    "amount must be integer, is number",
  ]);
});

test("what is no JSON object is told as such", () => {
  expect(readArguments("{ to: 1 }", schema).kind).toBe("broken");
  expect(problems("[1]")).toEqual(["Arguments are a JSON object: { ... }"]);
});

test("without a schema any object passes", () => {
  expect(readArguments('{ "x": 1 }', undefined)).toMatchObject({ problems: [] });
});

test("what a tool found out by itself is not offered for editing", () => {
  expect(ownArguments({ to: "a", sha256: "f00" }, schema)).toEqual({ to: "a" });
  expect(ownArguments({ to: "a", sha256: "f00" }, undefined)).toEqual({ to: "a", sha256: "f00" });
});

test("what a tool takes is told in words, what it needs first", () => {
  expect(membersOf(undefined)).toEqual([]);
  const told = membersOf({
    properties: { as: { enum: ["text", "json"] }, to: { type: "string", description: "To whom." }, any: {} },
    required: ["to"],
  });
  expect(told).toEqual([
    { name: "to", type: "text", isNeeded: true, text: "To whom." },
    { name: "as", type: "one of text, json", isNeeded: false, text: "" },
    { name: "any", type: "", isNeeded: false, text: "" },
  ]);
});
