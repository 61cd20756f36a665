import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatFinding } from "../base/finding.ts";
import { compilePolicy } from "./rules/compile.ts";
import { lintPolicy } from "./file/lint.ts";
import { parsePolicyCases, runPolicyCases } from "./questions/policy-cases.ts";
import { parsePolicy, requirePolicy } from "./file/policy-file.ts";
import { conditionOperators } from "./rules/policy.ts";
import { ruleKeys } from "./file/read-rule.ts";
import { flowKeys } from "./file/sequence-reader.ts";

const text = readFileSync(join(import.meta.dirname, "../../../../docs/policy.md"), "utf8");
const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""], index) => ({
  block,
  number: index + 1,
}));
const broken = [
  ...text.matchAll(/^(\d+)\. ([^\n]*)\n\n```yaml broken\n(.*?)```\n\n```text\n(.*?)\n```/gms),
].map(([, number = "", title = "", block = "", error = ""]) => ({ number, title, block, error }));
const knownActions = [
  "code_exec.run", "file_ops.delete", "file_ops.list", "file_ops.move", "file_ops.read", "file_ops.write", "http.get",
  "http.request", "workflow.run",
]; // prettier-ignore

describe("docs/policy.md", () => {
  test.each(blocks)("example $number is a good policy without warnings", ({ block }) => {
    const result = parsePolicy(block.startsWith("version:") ? block : `version: 1\nrules:\n${block}`);
    expect(result.ok ? result.warnings : result.findings).toEqual([]);
    if (result.ok) expect(lintPolicy(result.policy, { knownActions })).toEqual([]);
  });

  test("names every operator of conditions and every key of a rule", () => {
    for (const operator of conditionOperators) expect(text).toContain(`\`${operator}\``);
    // Those of data flow are in docs/data-flow.md.
    const flow: readonly string[] = flowKeys;
    for (const key of ruleKeys) if (!flow.includes(key)) expect(text).toMatch(new RegExp(`\`${key}\\b`));
  });

  test("the first policy passes its own table, and the commands say what is printed", () => {
    const policy = compilePolicy(requirePolicy(blocks[0]!.block));
    const cases = parsePolicyCases(/```yaml cases\n(.*?)```/s.exec(text)![1]!);
    if (!cases.ok) throw new Error(JSON.stringify(cases.findings));
    const report = runPolicyCases(policy, cases.cases);
    expect(report).toMatchObject({ passed: 4, failed: 0, coverage: { hit: 3, rules: 4, missed: [{ name: "write-workspace", line: 9 }] } });
    expect(text).toContain(report.cases[3]!.decision.reason);
  }); // prettier-ignore
});

describe("ten ways to break it", () => {
  test("are ten", () => {
    expect(broken.map(({ number }) => number)).toEqual(
      Array.from({ length: 10 }, (_, index) => `${index + 1}`),
    );
  });

  test.each(broken)("$number. $title", ({ block, error }) => {
    const result = parsePolicy(block);
    const first = result.ok ? undefined : result.findings.find(({ severity }) => severity === "error");
    const told = (result.ok ? [] : result.findings).map(formatFinding);
    expect(first).toBeDefined();
    expect(told).toContain(error);
  });
});
