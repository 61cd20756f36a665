/** A stranger's words do not become the operator's on their way through an error: whole runs under the shipped policy. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../base/canonical-json.ts";
import { requirePolicy } from "../../policy/file/policy-file.ts";
import { defaultPolicyPath } from "../../policy/force/active-policy.ts";
import { compilePolicy } from "../../policy/rules/compile.ts";
import { decide } from "../../policy/rules/decide.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { rerunRun } from "../control/rerun.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const shipped = `${readFileSync(defaultPolicyPath, "utf8").trimEnd()}
  - { name: granted, effect: allow, action: [shell.run, note.keep, workflow.run] }
`;

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

interface Lab {
  readonly world: World;
  /** Sources of the programs that were run. */
  readonly ran: string[];
}

/** Programs are really run, in a folder whose `page.txt` a stranger wrote. */
async function openLab(policyText = shipped): Promise<Lab> {
  const policy = compilePolicy(requirePolicy(policyText));
  const folder = mkdtempSync(join(tmpdir(), "failure-flow-"));
  opened.push({ close: () => rmSync(folder, { recursive: true }) });
  writeFileSync(join(folder, "page.txt"), "echo RAN-WHAT-A-STRANGER-WROTE");
  const ran: string[] = [];
  const world = await createWorld({
    decideFully: (request) => decide(policy, request),
    tools: [
      {
        name: "shell.run",
        effect: "idempotent",
        roles: { source: "command" },
        act: async ({ source }) => {
          ran.push(String(source));
          return await runShell(String(source), folder);
        },
      },
      { name: "note.keep", effect: "idempotent", labels: [], act: (args) => Promise.resolve(args) },
    ],
  });
  opened.push(world);
  await world.startWorker("w1");
  return { world, ran };
}

function runShell(source: string, cwd: string): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    execFile("/bin/sh", ["-c", source], { cwd }, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout });
      else reject(new Error(`sh ended with ${error.code}: ${stderr}`));
    });
  });
}

const fails = 'tool: shell.run, with: { source: "cat page.txt >&2; exit 3" }';
/** A step that runs what `expression` gives. */
const runs = (expression: string): string =>
  `{ id: w, tool: shell.run, with: { source: '\${{ ${expression} }}' } }`;
const said = (error: string): string => `last(split(${error}.message, ": "))`;
const workflow = (steps: string, rest = ""): string => `version: 1\nname: w\n${rest}steps:\n${steps}\n`;

async function register(world: World, source: string): Promise<void> {
  const { name, digest } = requireWorkflow(source);
  await world.registry.add({ tenant: "default", name, digest, text: source, addedBy: "eve" });
}

const inner = workflow(`  - { id: c, ${fails} }`).replace("name: w", "name: inner");

/** By the way the words take. */
const ways: readonly (readonly [way: string, steps: string])[] = [
  [
    "the output of a program that did well",
    `  - { id: c, tool: shell.run, with: { source: "cat page.txt" } }\n  - ${runs("steps.c.output.stdout")}`,
  ],
  [
    "a tool that brings nothing in and says again what it was given",
    `  - { id: c, tool: shell.run, with: { source: "cat page.txt" } }
  - { id: k, tool: note.keep, with: { text: '\${{ steps.c.output.stdout }}' } }
  - ${runs("steps.k.output.text")}`,
  ],
  ["`error` of a step", `  - { id: c, ${fails}, on_error: continue }\n  - ${runs(said("steps.c.error"))}`],
  [
    "`set`",
    `  - { id: c, ${fails}, on_error: continue }\n  - { id: s, set: { why: '\${{ steps.c.error }}' } }\n  - ${runs(said("steps.s.output.why"))}`,
  ],
  ["`error` in a `catch`", `  - { id: c, ${fails}, catch: [${runs(said("error"))}] }`],
  ["`error` in a `finally`", `  - { id: c, ${fails}, finally: [${runs(said("error"))}] }`],
  [
    "the output that a `catch` gives",
    `  - { id: c, ${fails}, catch: [{ id: s, set: { why: '\${{ error }}' } }] }\n  - ${runs(said("steps.c.output.why"))}`,
  ],
  ["a group around the step", `  - { id: g, group: [{ id: c, ${fails} }], catch: [${runs(said("error"))}] }`],
  [
    "the output that a group's `catch` gives",
    `  - { id: g, group: [{ id: c, ${fails} }], catch: [{ id: s, set: { why: '\${{ error }}' } }] }\n  - ${runs(said("steps.g.output.why"))}`,
  ],
  [
    "`errors` of branches",
    `  - { id: p, parallel: { one: [{ id: c, ${fails} }] }, on_error: continue }\n  - ${runs(said("steps.p.errors.one"))}`,
  ],
  [
    "`errors` of rounds",
    `  - { id: l, for_each: [1, 2], on_error: continue, steps: [{ id: c, ${fails} }] }\n  - ${runs(said('steps.l.errors["1"]'))}`,
  ],
  [
    "a loop over errors, before another loop over the operator's own words",
    `  - { id: c, ${fails}, on_error: continue }
  - { id: l, for_each: ['\${{ steps.c.error }}'], steps: [${runs(said("item"))}] }
  - { id: m, for_each: [own], steps: [{ id: t, set: { x: '\${{ item }}' } }] }`,
  ],
  [
    "every try of a step that is tried again",
    `  - { id: c, ${fails}, retry: { attempts: 2, delay: 10ms }, on_error: continue }\n  - ${runs(said("steps.c.error"))}`,
  ],
  [
    "a workflow that failed",
    `  - { id: c, workflow: inner, on_error: continue }\n  - ${runs(said("steps.c.error"))}`,
  ],
  [
    "`error` in the `catch` of a workflow that failed",
    `  - { id: c, workflow: inner, catch: [${runs(said("error"))}] }`,
  ],
  [
    "an expression that fails over them, in a loop inside a group",
    `  - { id: c, ${fails}, on_error: continue }
  - { id: g, group: [{ id: n, for_each: '\${{ ${said("steps.c.error")} }}', steps: [{ id: u, set: { x: 1 } }] }], catch: [${runs('replace(last(split(error.message, "got ")), "\\"", "")')}] }`,
  ],
];

describe("what a stranger wrote is not run unasked when it comes through", () => {
  test.each(ways)("%s", async (_, steps) => {
    const { world, ran } = await openLab();
    await register(world, inner);
    const id = await world.submit(workflow(steps));
    const asked = await world.waitingApproval(id);
    expect(asked.args).toMatchObject({ source: "echo RAN-WHAT-A-STRANGER-WROTE" });
    expect(asked.matched.map(({ name }) => name)).toContain("outside-target-in-workflow");
    expect(asked.reason).toMatch(/source \(command\) only from tool: step /);
    expect(ran).not.toContain("echo RAN-WHAT-A-STRANGER-WROTE");
    expect(ran.length).toBeGreaterThan(0);
  });

  test("an input of a workflow that a step runs", async () => {
    const { world, ran } = await openLab();
    const child = workflow(`  - ${runs("inputs.text")}`, "inputs: { text: { type: string } }\n");
    await register(world, child.replace("name: w", "name: other"));
    const text = said("steps.c.error");
    await world.submit(
      workflow(
        `  - { id: c, ${fails}, on_error: continue }\n  - { id: k, workflow: other, inputs: { text: '\${{ ${text} }}' } }`,
      ),
    );
    expect(await untilAsked(world)).toMatch(/source \(command\) only from tool: inputs/);
    expect(ran).toHaveLength(1);
  });

  test("a run that is made again and takes the failed step over", async () => {
    const { world, ran } = await openLab();
    const source = workflow(
      `  - { id: c, ${fails}, on_error: continue }\n  - { id: m, set: { x: 1 } }\n  - ${runs(said("steps.c.error"))}`,
    );
    const id = await world.submit(source);
    await world.waitingApproval(id);
    await world.cancelAtOnce(id);
    await world.until(id, "CANCELLED");
    const again = await rerunRun(
      { ...world.submitDeps, readBlobText: world.readBlobText },
      {
        ...{ runId: id, tenant: "default", by: "eve", kind: "rerun", fromStep: "m", seq: null },
        ...{ inputs: {}, stepArguments: {}, isConfirmed: true, isDryRun: false },
      },
    );
    expect((await world.waitingApproval(again.run!.id)).reason).toMatch(/only from tool: step c/);
    expect(ran).toHaveLength(1);
  });
});

describe("what nobody outside wrote passes as it did", () => {
  const passing: readonly (readonly [what: string, steps: string])[] = [
    ["the operator's own", `  - { id: c, ${fails}, on_error: continue }\n  - ${runs('"echo fine"')}`],
    ["an input", `  - { id: c, ${fails}, catch: [${runs("inputs.source")}] }`],
    [
      "a choice by an error that never was",
      `  - { id: c, set: { x: 1 } }\n  - ${runs('steps.c.error == null ? "echo fine" : steps.c.error.message')}`,
    ],
  ];
  test.each(passing)("%s", async (_, steps) => {
    const { world, ran } = await openLab();
    const inputs = "inputs: { source: { type: string } }\n";
    const id = await world.submit(workflow(steps, inputs), { source: "echo fine" });
    await world.until(id, "COMPLETED");
    expect(ran.at(-1)).toBe("echo fine");
  });
});

describe("a rule with `labels_any`", () => {
  const policy = `version: 1
rules:
  - { name: granted, effect: allow, action: "*" }
  - { name: after-words, effect: ask, action: shell.run, labels_any: [tool] }
`;
  const last = '{ id: w, tool: shell.run, with: { source: "echo fine" } }';
  const flaky =
    'tool: shell.run, with: { source: "test -e been || { touch been; cat page.txt >&2; exit 3; }" }';

  test.each([
    ["a step that failed", `  - { id: c, ${fails}, on_error: continue }\n  - ${last}`],
    ["a step whose `catch` is under way", `  - { id: c, ${fails}, catch: [${last}] }`],
    ["a workflow that failed", `  - { id: c, workflow: inner, on_error: continue }\n  - ${last}`],
    [
      "a try that failed before one that did well",
      `  - { id: c, ${flaky}, retry: { attempts: 2, delay: 10ms } }\n  - ${last}`,
    ],
  ])("sees the words of %s", async (_, steps) => {
    const { world } = await openLab(policy);
    await register(world, inner);
    const id = await world.submit(workflow(steps));
    const asked = await world.waitingApproval(id);
    expect(asked.matched.map(({ name }) => name)).toContain("after-words");
    expect(asked.labels).toContain("tool");
    expect(asked.step).toMatch(/w$/);
  });
});

async function untilAsked(world: World): Promise<string> {
  for (;;) {
    const [row] = await world.store.read("SELECT reason FROM approvals WHERE status = 'waiting'");
    if (row !== undefined) return row["reason"] as string;
    await world.submitDeps.clock.sleep(10);
  }
}
