import { expect, test } from "vitest";
import { parseExpression } from "./parse.ts";
import { findReferences, findUnknownNames } from "./references.ts";

function paths(source: string): readonly string[] {
  return findReferences(parseExpression(source)).map(
    ({ root, path, isOpen }) => [root, ...path].join(".") + (isOpen ? "*" : ""),
  );
}

test("chains of members become one reference, open where an index is computed", () => {
  expect(paths("steps.list.output.files[0].name")).toEqual(["steps.list.output.files*"]);
  expect(paths('steps["brand-audit"].output')).toEqual(["steps.brand-audit.output"]);
  expect(paths("steps[inputs.which].output")).toEqual(["steps*", "inputs.which"]);
  expect(paths("a.b?.c + f")).toEqual(["a.b.c", "f"]);
});

test("every corner of an expression is searched", () => {
  expect(paths("a ? -b : {k: [c]}")).toEqual(["a", "b", "c"]);
  expect(paths("length(a) && (b || c) ?? d")).toEqual(["a", "b", "c", "d"]);
  expect(paths("first(a).b[c]")).toEqual(["a", "c"]);
  expect(paths("first(a)[b]")).toEqual(["a", "b"]);
  expect(paths("a[b][c]")).toEqual(["a*", "b", "c"]);
});

test("lambda parameters are not references, the names around them are", () => {
  expect(paths("filter(files, f => f.size > limit)")).toEqual(["files", "limit"]);
  expect(paths("map(f, f => f.x)")).toEqual(["f"]);
});

test("unknown names come with their column and a suggestion", () => {
  const found = findUnknownNames(parseExpression("inputs.a + stepz.b"), new Set(["inputs", "steps"]));
  expect(found.map((error) => [error.data["column"], error.hint])).toEqual([[12, "did you mean `steps`?"]]);
});
