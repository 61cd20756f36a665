import { afterEach, expect, test } from "vitest";
import { compilePolicy } from "../../policy/rules/compile.ts";
import { decide } from "../../policy/rules/decide.ts";
import { createDryRun } from "../../policy/questions/dry-run.ts";
import { requirePolicy } from "../../policy/file/policy-file.ts";
import type { RecordedAction } from "../../policy/rules/recorded-action.ts";
import { countRecordedRuns, readRecordedRuns } from "./recorded-actions.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const active = `
version: 1
rules:
  - { name: notes, effect: allow, action: note }
  - { name: mail, effect: ask, action: mail }
  - { name: never, effect: deny, action: bomb }
`;
const workflow = `
version: 1
name: writes
steps:
  - { id: note, tool: note.add, with: { text: hello } }
  - { id: mail, tool: mail.send, with: { to: ada@example.org } }
  - { id: bomb, tool: bomb.fire, with: { at: home } }
`;

async function runOnce(): Promise<World> {
  const policy = compilePolicy(requirePolicy(active));
  const act = (): Promise<object> => Promise.resolve({});
  const tools = ["note.add", "mail.send", "bomb.fire"].map(
    (name) => ({ name, effect: "idempotent", act }) as const,
  );
  world = await createWorld({ tools: tools as never, decideFully: (request) => decide(policy, request) });
  await world.startWorker("w1");
  const id = await world.submit(workflow);
  const { id: approval } = await world.waitingApproval(id);
  await world.answer(approval, "approve");
  await world.until(id, "FAILED");
  return world;
}

async function recorded({ store, readBlobText }: World, sinceMs = 0): Promise<readonly RecordedAction[]> {
  const all: RecordedAction[] = [];
  for await (const run of readRecordedRuns({ store, readBlobText }, { tenant: "default", sinceMs })) all.push(...run.actions);
  return all;
} // prettier-ignore

test("every action policy was asked about comes once, with all that a decision needs", async () => {
  const found = await recorded(await runOnce());
  expect(found.map(({ request, resources, recorded: { effect, rules } }) => [request.action, resources.length, effect, ...rules])).toEqual([
    ["note.add", 1, "allow", "notes"],
    ["mail.send", 1, "ask", "mail"],
    ["bomb.fire", 1, "deny", "never"],
  ]); // prettier-ignore
  for (const { request, isComplete, runId, step } of found) {
    expect(isComplete).toBe(true);
    expect(request).toMatchObject({ tenant: "default", agent: "workflow:writes", user: expect.stringMatching(/^user:./) });
    expect(request.role).not.toBe("");
    expect(request.flow).toBeDefined();
    expect(runId + step).toMatch(/^run_.*(note|mail|bomb)$/);
  } // prettier-ignore
  expect(found[2]?.request).toMatchObject({ args: { at: "home" } });
  expect(found[2]?.request.flow?.history.map(({ action }) => action)).toEqual(["note.add", "mail.send"]);
});

test("the same policy changes nothing; another one is told by groups, loosest first", async () => {
  const found = await recorded(await runOnce());
  const same = createDryRun(compilePolicy(requirePolicy(active)));
  expect(found.flatMap((action) => same.take(action) ?? [])).toEqual([]);
  expect(same.report()).toMatchObject({ actions: 3, changed: 0, incomplete: 0, groups: [], rules: [{ hits: 1 }, { hits: 1 }, { hits: 1 }] });

  const candidate = `version: 1\nrules:\n  - { name: all, effect: allow, action: '*' }\n  - { name: after, effect: ask, action: note, scope: { user: 'user:nobody' } }\n  - { name: slow, effect: deny, action: mail, after: { action: note } }\n`;
  const other = createDryRun(compilePolicy(requirePolicy(candidate)), { examples: 1 });
  for (const action of found) other.take(action);
  const report = other.report();
  expect(report.groups.map(({ from, to, count }) => [from, to, count])).toEqual([["deny", "allow", 1], ["ask", "deny", 1]]);
  expect(report.groups[1]?.examples).toMatchObject([{ step: "mail", action: "mail.send", reason: expect.stringContaining("`slow`") }]);
  expect(report.rules.map(({ name, hits }) => [name, hits])).toEqual([["all", 3], ["after", 0], ["slow", 1]]);

  const against = createDryRun(compilePolicy(requirePolicy(active)), { baseline: compilePolicy(requirePolicy(candidate)) });
  for (const action of found) against.take(action);
  expect(against.report().groups.map(({ from, to }) => `${from} ${to}`)).toEqual(["deny ask", "allow deny"]);
}); // prettier-ignore

test("only what lies within the time and the tenant is read", async () => {
  const { store, readBlobText } = await runOnce();
  const deps = { store, readBlobText };
  expect(await countRecordedRuns(deps, { tenant: "default", sinceMs: 0 })).toBe(1);
  expect(await countRecordedRuns(deps, { tenant: "default", sinceMs: Date.now() + 60_000 })).toBe(0);
  expect(await countRecordedRuns(deps, { tenant: "other", sinceMs: 0 })).toBe(0);
  expect(await recorded(world!, Date.now() + 60_000)).toEqual([]);
});

test("a step that runs a workflow is among them, under the name of its child", async () => {
  const policy = compilePolicy(
    requirePolicy(`
version: 1
rules:
  - { name: children, effect: allow, action: workflow.run }
  - { name: never, effect: deny, action: workflow.run, resource: closed }
`),
  );
  world = await createWorld({ tools: [], decideFully: (request) => decide(policy, request) });
  for (const name of ["open", "closed"]) {
    const text = `version: 1\nname: ${name}\nsteps: [{ id: s, set: { x: 1 } }]\n`;
    const { digest } = requireWorkflow(text);
    await world.registry.add({ tenant: "default", name, digest, text, addedBy: "eve" });
  }
  await world.startWorker("w1");
  const steps = "[{ id: a, workflow: open }, { id: b, workflow: closed }]";
  await world.until(await world.submit(`version: 1\nname: outer\nsteps: ${steps}\n`), "FAILED");
  const found = await recorded(world);
  expect(found.map(({ request, resources, recorded: { effect } }) => [request.action, ...resources, effect])).toEqual([
    ["workflow.run", "open", "allow"],
    ["workflow.run", "closed", "deny"],
  ]); // prettier-ignore
  expect(found.every(({ isComplete }) => isComplete)).toBe(true);
});
