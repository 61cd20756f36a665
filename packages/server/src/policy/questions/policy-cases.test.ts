import { describe, expect, test } from "vitest";
import { compilePolicy } from "../rules/compile.ts";
import { parsePolicyCases, runPolicyCases } from "./policy-cases.ts";
import type { PolicyTestReport } from "./policy-cases.ts";
import { requirePolicy } from "../file/policy-file.ts";

const policy = compilePolicy(
  requirePolicy(`
version: 1
rules:
  - { name: reads, effect: allow, action: file_ops.read }
  - { name: big, effect: ask, action: file_ops.write, where: [{ arg: sizeBytes, op: gt, value: 10 }] }
  - { name: nights, effect: deny, action: file_ops.read, when: { from: 22:00, to: 06:00 } }
`),
);

function run(text: string): PolicyTestReport {
  const result = parsePolicyCases(text);
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return runPolicyCases(policy, result.cases);
}

describe("tables of cases", () => {
  test("each case is decided; what fails is named with its line and why", () => {
    const report = run(`
defaults: { resource: workspace/a, at: 2026-01-07T12:00:00Z }
cases:
  - { action: file_ops.read, expect: allow }
  - { name: late, action: file_ops.read, at: "2026-01-07T23:00:00Z", expect: { effect: deny, rule: nights } }
  - name: small
    action: file_ops.write
    args: { sizeBytes: 5 }
    expect: { effect: ask, rule: [big], not_rule: reads, risk: medium }
  - { action: file_ops.read, expect: { not_rule: reads, effect: allow } }
`);
    expect(report.cases.map(({ name, line, ok }) => [name, line, ok])).toEqual([
      ["file_ops.read on workspace/a", 4, true],
      ["late", 5, true],
      ["small", 6, false],
      ["file_ops.read on workspace/a", 10, false],
    ]);
    expect(report.cases[2]?.problems).toEqual([
      expect.stringMatching(/^expected ask, got deny: Action blocked by policy: no rule allows/),
      "rule `big` did not match; matched: none",
      "expected medium risk, got high",
    ]);
    expect(report.cases[3]?.problems).toEqual(["rule `reads` matched and should not"]);
    expect(report).toMatchObject({ passed: 2, failed: 2, coverage: { rules: 3, hit: 2, missed: [{ name: "big", line: 5 }] } });
    expect(report.coverage.percent).toBeCloseTo(66.7, 1);
  }); // prettier-ignore

  test.each([
    ["", /file is empty/],
    ["[5]", /expected a map, found a list/],
    ["cases: []", /expected a list of cases/],
    ["cases:\n  - { resource: a, expect: deny }", /key `action` is missing/],
    ["cases:\n  - { action: a, resource: a }", /key `expect` is missing/],
    ["cases:\n  - { action: a, resource: a, expect: denied }", /expected deny, ask, allow; found the text "denied"/],
    ["cases:\n  - { action: a, resource: a, expect: {} }", /nothing is expected/],
    ["defaults: 5\ncases:\n  - { action: a, resource: a, expect: deny }", /expected a map, found the number 5/],
    ["cases: [5]", /expected a map, found the number 5/],
    ["cases:\n  - { action: a, resource: a, expect: [deny] }", /expected a map, found a list/],
    ["cases:\n  - { action: a, resource: a, expct: deny }", /unknown key `expct`/],
    ["cases:\n  - { action: a, resource: a, expect: deny, labels: [wed] }", /"wed" is no label/],
    ["cases:\n  - { action: a, resource: a, expect: deny, args: [1] }", /expected a map of arguments/],
    ["cases:\n  - { action: a, resource: a, expect: deny, at: noon }", /expected a time with zone/],
    ["cases:\n  - { action: 5, resource: a, expect: deny }", /expected a text, found the number 5/],
  ])("a mistake in the table is found: %s", (text, message) => {
    const result = parsePolicyCases(text, "cases.yaml");
    expect(result.ok ? [] : result.findings.map((each) => each.message)).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  }); // prettier-ignore
});
