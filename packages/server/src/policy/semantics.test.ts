import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "./rules/compile.ts";
import { testCondition } from "./rules/condition.ts";
import { parsePolicyCases, runPolicyCases } from "./questions/policy-cases.ts";
import { requirePolicy } from "./file/policy-file.ts";
import { conditionOperators } from "./rules/policy.ts";

const page = readFileSync(
  join(import.meta.dirname, "../../../../docs/reference/policy-semantics.md"),
  "utf8",
);
const rows = page
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [, number = "", title = ""] = /^(\d+)\. (.*)/.exec(text) ?? [];
    const block = (kind: string): string | undefined => new RegExp(`\`\`\`yaml ${kind}\n(.*?)\`\`\``, "s").exec(text)?.[1];
    const tests = [...text.matchAll(/^Test: `([^`]+)`, "(.*)"\.$/gm)].map(([, file = "", name = ""]) => ({ file, name }));
    return { number: Number(number), title, text, policy: block("policy"), cases: block("cases"), tests };
  }); // prettier-ignore

/** The source of a test file of the server: the end of its path, or the name alone where only one folder has it. */
function sourceOf(file: string): string {
  const folder = join(import.meta.dirname, "..");
  const all = readdirSync(folder, { recursive: true }).map((path) => join(folder, String(path)));
  const [found, ...more] = all.filter((path) => path.endsWith(`/${file}`));
  if (found === undefined) throw new Error(`no test file ${file}`);
  if (more.length > 0) throw new Error(`${file} stands in several folders: name the one`);
  return readFileSync(found, "utf8");
} // prettier-ignore

/** Their tests say what a policy means, so that each is a sentence of the page. */
const wholeFiles = [
  "decide.property.test.ts",
  "failing-guards.test.ts",
  "section.test.ts",
  "time-window.test.ts",
];

const operatorsTitle = "Every operator answers for every type";

/** The table of operators, cell by cell. */
function operatorCells(): readonly {
  readonly op: string;
  readonly value: string;
  readonly argument: string;
  readonly expected: string;
}[] {
  const lines = rows.find(({ title }) => title === operatorsTitle)!.text.split("\n").filter((line) => line.startsWith("|"));
  const [head = [], , ...body] = lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  return body.flatMap(([op = "", value = "", ...cells]) =>
    cells.map((expected, index) => ({ op, value, argument: head[index + 2] ?? "", expected })),
  );
} // prettier-ignore

describe("docs/reference/policy-semantics.md", () => {
  test("numbers its rows and binds each to a test", () => {
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
    for (const { title, policy, cases, tests } of rows) {
      expect([title, (policy === undefined) === (cases === undefined)]).toEqual([title, true]);
      const isHeld = policy !== undefined || tests.length > 0 || title === operatorsTitle;
      expect([title, isHeld]).toEqual([title, true]);
    }
    expect(new Set(rows.map(({ title }) => title)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(55);
  });

  test.each(rows)("row $number says nothing of tests in another form", ({ text, tests }) => {
    expect([...text.matchAll(/Test:/g)].length).toBe(tests.length);
  });

  test.each(rows.filter(({ policy }) => policy !== undefined))("row $number: $title", ({ policy, cases }) => {
    const parsed = parsePolicyCases(cases!);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
    const report = runPolicyCases(compilePolicy(requirePolicy(policy!)), parsed.cases);
    expect(report.cases.flatMap(({ line, problems }) => problems.map((each) => `${line}: ${each}`))).toEqual(
      [],
    );
    // An example with a rule that plays no part would prove less than it seems to.
    expect(report.coverage.missed).toEqual([]);
  });

  const cells = operatorCells();

  test("the table of operators has all of them, and answers of every kind", () => {
    expect([...new Set(cells.map(({ op }) => op))].sort()).toEqual([...conditionOperators].sort());
    expect([...new Set(cells.map(({ expected }) => expected))].sort()).toEqual(["?", "no", "yes"]);
  });

  test.each(cells)("$op $value of $argument: $expected", ({ op, value, argument, expected }) => {
    const where = `[{ arg: a, op: ${op}, value: ${value} }]`;
    const text = `version: 1\nrules:\n  - { name: a, effect: deny, action: x, where: ${where} }\n`;
    const args = argument === "absent" ? {} : { a: JSON.parse(argument) as unknown };
    const result = testCondition(requirePolicy(text).rules[0]!.conditions[0]!, args);
    expect(typeof result === "string" ? "?" : result ? "yes" : "no").toBe(expected);
  });

  test("has a row for every test of these files", () => {
    const bound = new Set(rows.flatMap(({ tests }) => tests.map(({ file, name }) => `${file}: ${name}`)));
    const missing = wholeFiles.flatMap((file) =>
      [...sourceOf(file).matchAll(/^\s*test(?:\.each\([^)]*\)+)?\("([^"%]+?)(?:: %s)?",/gm)]
        .map(([, name = ""]) => `${file}: ${name}`)
        .filter((each) => !bound.has(each)),
    );
    expect(missing).toEqual([]);
  });

  test.each(rows.flatMap(({ number, tests }) => tests.map((each) => ({ number, ...each }))))(
    "row $number is held by $file: $name",
    ({ file, name }) => {
      expect(sourceOf(file)).toContain(`"${name}`);
    },
  );
});
