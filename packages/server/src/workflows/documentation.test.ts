import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../base/canonical-json.ts";
import { parseExpression } from "../expression/parse.ts";
import { evaluate } from "../expression/evaluate.ts";
import { functionNames } from "../expression/functions.ts";
import { parseWorkflow } from "./workflow-file.ts";
import { stepKindNames, stepKinds } from "./step-kinds.ts";

const documents = join(import.meta.dirname, "../../../../docs");
const workflows = readFileSync(join(documents, "workflows.md"), "utf8");

function yamlBlocks(text: string): readonly string[] {
  return [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""]) => block);
}

/** A block of steps becomes a file with the inputs the page speaks of. */
function asWorkflow(block: string): string {
  if (block.startsWith("version:")) return block;
  const inputs = "  tags: { type: list }\n  name: { type: string }\n  dry_run: { type: boolean }\n";
  return `version: 1\nname: example\ninputs:\n${inputs}steps:\n${block}`;
}

describe("docs/workflows.md", () => {
  test.each(yamlBlocks(workflows).map((block, index) => ({ block, number: index + 1 })))(
    "example $number is a good workflow",
    ({ block }) => {
      const result = parseWorkflow(asWorkflow(block), { file: "docs/workflows.md" });
      expect(result.ok ? [] : result.findings).toEqual([]);
    },
  );

  const examples = [...workflows.matchAll(/^\| `(.+?)`\s+\| `(.+?)`\s+\|$/gm)].map(
    ([, source = "", value = ""]) => ({ source, value }),
  );

  test.each(examples)("$source is $value", ({ source, value }) => {
    expect(canonicalJson(evaluate(parseExpression(source), {}))).toBe(value);
  });

  test("shows every function, every kind of step and every key", () => {
    for (const name of functionNames)
      expect(
        examples.some(({ source }) => source.startsWith(`${name}(`)),
        name,
      ).toBe(true);
    for (const kind of stepKindNames) {
      for (const key of [kind, ...Object.keys(stepKinds[kind].keys)])
        expect(workflows, key).toContain(`  ${key}:`);
    }
  });
});
