import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lintPolicy } from "./lint.ts";
import { parsePolicy } from "./policy-file.ts";
import { conditionOperators } from "./policy.ts";

const text = readFileSync(join(import.meta.dirname, "../../../../docs/policy.md"), "utf8");
const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""], index) => ({
  block,
  number: index + 1,
}));
const knownActions = [
  "code_exec.run", "file_ops.delete", "file_ops.list", "file_ops.move", "file_ops.read", "file_ops.write", "http.get",
  "http.request",
]; // prettier-ignore

describe("docs/policy.md", () => {
  test.each(blocks)("example $number is a good policy without warnings", ({ block }) => {
    const result = parsePolicy(block.startsWith("version:") ? block : `version: 1\nrules:\n${block}`);
    expect(result.ok ? result.warnings : result.findings).toEqual([]);
    if (result.ok) expect(lintPolicy(result.policy, { knownActions })).toEqual([]);
  });

  test("names every operator of conditions", () => {
    for (const operator of conditionOperators) expect(text).toContain(`\`${operator}\``);
  });
});
