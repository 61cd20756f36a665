import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { parsePolicyCases, runPolicyCases } from "./policy-cases.ts";
import { requirePolicy } from "./policy-file.ts";

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
    return { number: Number(number), title, policy: block("policy"), cases: block("cases"), tests };
  }); // prettier-ignore

/** The source of a test file of the server, wherever it stands. */
function sourceOf(file: string): string {
  const folder = join(import.meta.dirname, "..");
  const found = readdirSync(folder)
    .map((name) => join(folder, name, file))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no test file ${file}`);
  return readFileSync(found, "utf8");
}

describe("docs/reference/policy-semantics.md", () => {
  test("numbers its rows and binds each to a test", () => {
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
    for (const { title, policy, cases, tests } of rows) {
      expect([title, (policy === undefined) === (cases === undefined)]).toEqual([title, true]);
      expect([title, policy !== undefined || tests.length > 0]).toEqual([title, true]);
    }
    expect(rows.length).toBeGreaterThan(20);
  });

  test.each(rows.filter(({ policy }) => policy !== undefined))("$number. $title", ({ policy, cases }) => {
    const parsed = parsePolicyCases(cases!);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
    const report = runPolicyCases(compilePolicy(requirePolicy(policy!)), parsed.cases);
    expect(report.cases.flatMap(({ line, problems }) => problems.map((each) => `${line}: ${each}`))).toEqual(
      [],
    );
    // An example with a rule that plays no part would prove less than it seems to.
    expect(report.coverage.missed).toEqual([]);
  });

  test.each(rows.flatMap(({ number, tests }) => tests.map((each) => ({ number, ...each }))))(
    "$number. is held by $file: $name",
    ({ file, name }) => {
      expect(sourceOf(file)).toContain(`"${name}`);
    },
  );
});
