import { describe, expect, test } from "vitest";
import { z } from "zod";
import { formatFinding } from "../../base/finding.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { findWrongArguments } from "./find-wrong-arguments.ts";

const args = z
  .strictObject({
    path: z.string().min(1),
    recursive: z.boolean().default(false),
    limits: z.strictObject({ seconds: z.number().max(10).optional() }).optional(),
    list: z.array(z.number()).optional(),
    text: z.string().optional(),
  })
  .refine((value) => value.path !== value.text, { message: "path and text must differ" });

const tools = new Map([["test.take", { args: args as unknown as AnyTool["args"] }]]);

function find(lines: string, rest = ""): readonly string[] {
  const text = `version: 1\nname: w\nsteps:\n  - id: s\n    tool: test.take\n    with:\n${lines}${rest}`;
  return findWrongArguments(requireWorkflow(text), text, tools).map(formatFinding);
}

describe("arguments that no tool takes", () => {
  test("are named with their line and what was probably meant", () => {
    expect(find("      path: x\n      recursiv: true\n")).toEqual([
      "line 8:7 steps[0].with: unknown key `recursiv` (did you mean `recursive`?)",
    ]);
  });

  test("are found inside, in lists and when they are missing", () => {
    expect(find("      path: x\n      limits: { secnds: 3 }\n")).toEqual([
      "line 8:17 steps[0].with.limits: unknown key `secnds` (did you mean `seconds`?)",
    ]);
    expect(find("      path: x\n      limits: { seconds: 30 }\n")[0]).toContain(
      "steps[0].with.limits.seconds",
    );
    expect(find("      path: x\n      list: [1, two]\n")[0]).toContain("line 8:17 steps[0].with.list[1]");
    expect(find("      recursive: true\n")[0]).toContain("steps[0].with.path");
  });

  test("are found in steps inside other steps", () => {
    const inner =
      "  - id: each\n    for_each: [1]\n    steps:\n      - id: t\n        tool: test.take\n        with: { pth: x, path: y }\n";
    expect(find("      path: x\n", inner)).toEqual([
      "line 13:17 steps[1].steps[0].with: unknown key `pth` (did you mean `path`?)",
    ]);
  });
});

describe("what only a run can tell", () => {
  test("is left alone: values of templates, and rules that hang on one", () => {
    expect(find('      path: "${{ 1 }}"\n')).toEqual([]);
    expect(find('      path: "${{ 1 }}"\n      list: ["${{ 1 }}", 2]\n')).toEqual([]);
    expect(find('      path: x\n      text: "${{ 1 }}"\n      limits: { seconds: "${{ 1 }}" }\n')).toEqual(
      [],
    );
    expect(find('      path: x\n      limits: "${{ 1 }}"\n')).toEqual([]);
  });

  test("does not hide a key that nobody takes", () => {
    expect(find('      path: "${{ 1 }}"\n      pat: 1\n')).toEqual([
      "line 8:7 steps[0].with: unknown key `pat` (did you mean `path`?)",
    ]);
  });

  test("is nothing where all is written out", () => {
    expect(find("      path: x\n      text: x\n")[0]).toContain("path and text must differ");
    expect(find("      path: x\n      text: y\n")).toEqual([]);
  });
});

test("tools that are not there are not this check's business", () => {
  const text = "version: 1\nname: w\nsteps:\n  - { id: s, tool: other.tool, with: { a: 1 } }\n";
  expect(findWrongArguments(requireWorkflow(text), text, tools)).toEqual([]);
});
