import { expect, test } from "vitest";
import { compilePolicy } from "../rules/compile.ts";
import { createDryRun } from "./dry-run.ts";
import { requirePolicy } from "../file/policy-file.ts";
import type { RecordedAction } from "../rules/recorded-action.ts";

const candidate = compilePolicy(
  requirePolicy(`
version: 1
rules:
  - { name: waits, effect: ask, action: wait }
  - { name: reads, effect: allow, action: read }
  - { name: never, effect: deny, action: other }
`),
);

function recorded(
  action: string,
  effect: "allow" | "deny",
  more: Partial<RecordedAction> = {},
): RecordedAction {
  return {
    runId: "run_1",
    step: "s",
    seq: 1,
    atMs: 1_000,
    request: { action, args: {}, labels: [], agent: "workflow:w", role: "operator", tenant: "default" },
    resources: ["x", "y"],
    recorded: { effect, revision: "r", rules: [] },
    isComplete: true,
    ...more,
  };
}

test("groups what changes, what becomes softer first and the larger first, with rules that are never hit", () => {
  const dryRun = createDryRun(candidate, { examples: 1 });
  for (const effect of ["allow", "allow", "deny"] as const) dryRun.take(recorded("wait.for", effect));
  dryRun.take(recorded("read.file", "deny", { isComplete: false }));
  dryRun.take(recorded("unknown", "allow"));
  expect(dryRun.take(recorded("read.file", "allow"))).toBeUndefined();
  dryRun.skipErased();
  const { groups, rules, ...counts } = dryRun.report();
  expect(counts).toEqual({ actions: 6, changed: 5, incomplete: 1, erasedRuns: 1 });
  expect(groups.map(({ from, to, count, examples }) => [from, to, count, examples.length])).toEqual([
    ["deny", "allow", 1, 1],
    ["deny", "ask", 1, 1],
    ["allow", "ask", 2, 1],
    ["allow", "deny", 1, 1],
  ]);
  // Each resource of an action is judged.
  expect(rules).toEqual([
    { name: "waits", line: 4, hits: 6 },
    { name: "reads", line: 5, hits: 4 },
    { name: "never", line: 6, hits: 0 },
  ]);
});

test("of two groups as strict the larger comes first", () => {
  const asks = compilePolicy(requirePolicy("version: 1\nrules:\n  - { name: w, effect: ask, action: wait }\n"));
  const baseline = compilePolicy(requirePolicy("version: 1\nrules:\n  - { name: w, effect: allow, action: wait }\n  - { name: r, effect: ask, action: read }\n"));
  const dryRun = createDryRun(asks, { baseline });
  dryRun.take(recorded("wait.for", "deny"));
  for (let count = 0; count < 3; count++) dryRun.take(recorded("read.file", "allow"));
  expect(dryRun.report().groups.map(({ from, to, count }) => [from, to, count])).toEqual([
    ["ask", "deny", 3],
    ["allow", "ask", 1],
  ]);
}); // prettier-ignore
