import { expect, test } from "vitest";
import { coverageRows } from "./coverage-rows.ts";

const rules = ["a", "b", "c"].map((name, at) => ({
  name,
  effect: "allow" as const,
  line: at + 1,
  file: null,
}));
const brief = (rows: ReturnType<typeof coverageRows>) =>
  rows.map(({ name, isUnused }) => `${name}${isUnused ? "!" : ""}`);

test("before anything is counted no rule is called unused", () => {
  expect(brief(coverageRows(rules, { hits: undefined, missed: undefined }))).toEqual(["a", "b", "c"]);
});

test("rules that neither history nor cases reach come first", () => {
  const hits = [
    { name: "a", hits: 4 },
    { name: "b", hits: 0 },
    { name: "c", hits: 0 },
  ];
  expect(brief(coverageRows(rules, { hits, missed: undefined }))).toEqual(["b!", "c!", "a"]);
  expect(brief(coverageRows(rules, { hits, missed: [{ name: "a" }, { name: "b" }] }))).toEqual([
    "b!",
    "a",
    "c",
  ]);
  expect(brief(coverageRows(rules, { hits: undefined, missed: [{ name: "c" }] }))).toEqual(["c!", "a", "b"]);
});
