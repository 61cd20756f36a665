import { afterEach, describe, expect, test } from "vitest";
import type { ActionRequest, Decision } from "../../policy/rules/decision.ts";
import { createRunWorkflowTool } from "../../tools/run-workflow.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { findUnknownTools } from "../submission/submit.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World, WorldOptions } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const tools: readonly TestTool[] = [
  { name: "test.echo", effect: "pure", files: "none", act: ({ value }) => Promise.resolve(value ?? null) },
  {
    name: "test.read",
    effect: "pure",
    files: "none",
    labels: ["web"],
    act: () => Promise.resolve("from a page"),
  },
];

async function start(options: Partial<WorldOptions> = {}): Promise<World> {
  const world = await createWorld({ tools, ...options });
  worlds.push(world);
  const { name, digest } = requireWorkflow(double);
  await world.registry.add({ tenant: "default", name, digest, text: double, addedBy: "eve" });
  return world;
}

const double = `version: 1
name: double
inputs: { n: { type: integer }, note: { type: string, default: none } }
outputs: { twice: "\${{ inputs.n * 2 }}" }
steps: [{ id: e, tool: test.echo, with: { value: "\${{ inputs.note }}" } }]
`;
const outer = (rest = "", inputs = "{ n: 4 }"): string =>
  `version: 1\nname: outer\noutputs: { out: "\${{ steps.c.output }}" }\nsteps:\n  - { id: c, workflow: double, inputs: ${inputs}${rest} }\n`;

const decides =
  (effect: Decision["effect"], more: Partial<Decision> = {}) =>
  ({ action }: ActionRequest): Decision => ({
    ...{ effect: "allow", risk: "low", obligations: {}, matched: [], reason: "rule says so", revision: "r7" },
    ...(action === "workflow.run" ? { effect, ...more } : {}),
  });

const childrenOf = (world: World, runId: string) =>
  world.store.read("SELECT id FROM runs WHERE parent = ?", [runId]);

describe("a step that runs a workflow", () => {
  test("is judged by its name and inputs before the child begins, and recorded with decision and revision", async () => {
    const asked: ActionRequest[] = [];
    const world = await start({
      decideFully: (request) => {
        asked.push(request);
        return decides("allow")(request);
      },
    });
    await world.startWorker("one");
    const runId = await world.submit(outer());
    await world.until(runId, "COMPLETED");
    const digest = requireWorkflow(double).digest;
    const [first] = asked;
    expect(first).toMatchObject({ action: "workflow.run", resource: "double", agent: "workflow:outer" });
    expect(first!.args).toEqual({ n: 4, note: "none", "@digest": digest });
    const step = (await world.state(runId)).steps.get("c")!;
    expect(step.intent).toMatchObject({
      ...{
        tool: "workflow.run",
        effect: "idempotent",
        resource: "double",
        summary: "run the workflow double",
      },
      ...{ attempt: 1, key: `${runId}/c/1`, decision: { effect: "allow", revision: "r7" } },
    });
    expect(step).toMatchObject({ outcomeMissing: false, output: { twice: 8 } });
    const kinds = await world.kinds(runId);
    expect(kinds.slice(kinds.indexOf("action.intended"), -1)).toEqual([
      ...["action.intended", "step.started", "child.ended"],
    ]);
  });

  test("that policy refuses makes no child, fails with policy's code, and can be caught", async () => {
    const world = await start({ decideFully: decides("deny", { reason: "no workflows here" }) });
    await world.startWorker("one");
    const refused = await world.submit(outer());
    const row = await world.until(refused, "FAILED");
    expect(row.error).toMatchObject({
      ...{ code: "ACTION_DENIED", step: "c" },
      message: expect.stringContaining("no workflows here") as string,
    });
    expect((await world.state(refused)).steps.get("c")).toMatchObject({
      ...{ status: "denied", refused: { tool: "workflow.run", resource: "double" } },
      denial: { revision: "r7" },
    });
    const caught = await world.submit(outer(', catch: [{ id: r, set: { why: "${{ error.code }}" } }]'));
    await world.until(caught, "COMPLETED");
    expect((await world.state(caught)).outputs).toEqual({ out: { why: "ACTION_DENIED" } });
    for (const runId of [refused, caught]) expect(await childrenOf(world, runId)).toEqual([]);
  });

  test("that policy asks about begins after the yes, over a restart, and asks nobody again", async () => {
    const world = await start({ decideFully: decides("ask") });
    const first = await world.startWorker("first");
    const runId = await world.submit(outer());
    const question = await world.waitingApproval(runId);
    expect(question).toMatchObject({
      ...{ kind: "action", action: "workflow.run", resource: "double", step: "c", workflow: "outer" },
      args: { n: 4, note: "none" },
    });
    await world.until(runId, "WAITING");
    expect(await childrenOf(world, runId)).toEqual([]);
    await first.stop();
    await world.startWorker("second");
    await world.answer(question.id, "approve");
    await world.until(runId, "COMPLETED");
    const kinds = await world.kinds(runId);
    expect(kinds.filter((kind) => kind === "approval.requested")).toHaveLength(1);
    expect((await world.state(runId)).steps.get("c")!.intent).toMatchObject({ approvalId: question.id });
    expect(await childrenOf(world, runId)).toHaveLength(1);
  });

  test("asks with the whole path of runs when it is a child's own step", async () => {
    const middle = outer().replace("name: outer", "name: middle");
    const { name, digest } = requireWorkflow(middle);
    const world = await start({
      decideFully: (request) =>
        request.resource === "double" ? decides("ask")(request) : decides("allow")(request),
    });
    await world.registry.add({ tenant: "default", name, digest, text: middle, addedBy: "eve" });
    await world.startWorker("one");
    const runId = await world.submit(
      outer().replace("workflow: double", "workflow: middle").replace("{ n: 4 }", "{}"),
    );
    await expect.poll(() => childrenOf(world, runId)).toHaveLength(1);
    const [child] = await childrenOf(world, runId);
    const question = await world.waitingApproval(String(child!["id"]));
    expect(question.runPath).toEqual([{ runId, workflow: "outer", step: "c" }]);
    await world.answer(question.id, "approve");
    await world.until(runId, "COMPLETED");
  });

  test("that a person refuses fails, and no child is made", async () => {
    const world = await start({ decideFully: decides("ask") });
    await world.startWorker("one");
    const runId = await world.submit(outer());
    await world.answer((await world.waitingApproval(runId)).id, "reject");
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({ code: "APPROVAL_REJECTED", step: "c" });
    expect(await childrenOf(world, runId)).toEqual([]);
  });

  test("begins with the inputs a person put in place of its own, which are that person's word", async () => {
    const world = await start({ decideFully: decides("ask") });
    await world.startWorker("one");
    const runId = await world.submit(
      outer("", '{ n: 4, note: "${{ steps.r.output }}" }').replace(
        "steps:\n",
        "steps:\n  - { id: r, tool: test.read, with: {} }\n",
      ),
    );
    const question = await world.waitingApproval(runId);
    expect(question.args).toMatchObject({ note: "from a page" });
    const edit = { ...question.args, n: 21, note: "from eve" };
    await world.answer(question.id, "approve", undefined, { edit });
    await world.until(runId, "COMPLETED");
    const [child] = await childrenOf(world, runId);
    const state = await world.state(String(child!["id"]));
    expect(state.inputs).toEqual({ n: 21, note: "from eve" });
    expect(state.inherited).toMatchObject({ inputs: {} });
    expect((await world.state(runId)).outputs).toEqual({ out: { twice: 42 } });
  });

  test("begins with inputs a person corrected in part, which stay a stranger's word", async () => {
    const world = await start({ decideFully: decides("ask") });
    const mail = double
      .replace("name: double", "name: mail")
      .replace("type: string, default: none", "type: object");
    const { name, digest } = requireWorkflow(mail);
    await world.registry.add({ tenant: "default", name, digest, text: mail, addedBy: "eve" });
    await world.startWorker("one");
    const note = '{ to: "a@a.example", body: "${{ steps.r.output }}" }';
    const runId = await world.submit(
      outer("", `{ n: 4, note: ${note} }`)
        .replace("steps:\n", "steps:\n  - { id: r, tool: test.read, with: {} }\n")
        .replace("workflow: double", "workflow: mail"),
    );
    const question = await world.waitingApproval(runId);
    const corrected = { body: "from a page", to: "b@a.example" };
    const edit = { ...question.args, note: corrected };
    await world.answer(question.id, "approve", undefined, { edit });
    await world.until(runId, "COMPLETED");
    const [child] = await childrenOf(world, runId);
    const state = await world.state(String(child!["id"]));
    expect(state.inputs).toEqual({ n: 4, note: corrected });
    expect(state.inherited).toMatchObject({ inputs: { note: ["operator", "web"] } });
  });

  test("tells the child where its inputs came from, and takes none of them for a target", async () => {
    const flows: ActionRequest[] = [];
    const world = await start({
      decideFully: (request) => {
        if (request.action === "workflow.run") flows.push(request);
        return decides("allow")(request);
      },
    });
    await world.startWorker("one");
    const runId = await world.submit(
      outer("", '{ n: 4, note: "${{ steps.r.output }}" }').replace(
        "steps:\n",
        "steps:\n  - { id: r, tool: test.read, with: {} }\n",
      ),
    );
    await world.until(runId, "COMPLETED");
    expect(flows[0]!.flow!.isEffect).toBe(false);
    expect(flows[0]!.flow!.arguments.find(({ path }) => path === "note")).toMatchObject({
      ...{ role: "body", from: "untrusted-only", labels: ["web"] },
    });
    const [child] = await childrenOf(world, runId);
    const state = await world.state(String(child!["id"]));
    expect(state.inherited).toMatchObject({ inputs: { note: ["web"] } });
  });

  test("a file of the task is known by its path, and handles of secrets go on to the child as they are", async () => {
    const asked: string[] = [];
    const world = await start({
      decideFully: (request) => {
        asked.push(`${request.action} ${request.resource}`);
        return decides("allow")(request);
      },
    });
    await world.startWorker("one");
    const text = outer("", '{ n: 1, note: "secret://shop" }').replace(
      "workflow: double",
      "workflow: steps/double.yaml",
    );
    const runId = await world.submit(text, {}, [
      { path: "steps/double.yaml", content: Buffer.from(double) },
      { path: "large.bin", content: Buffer.alloc(3_000_000, 7) },
    ]);
    await world.until(runId, "COMPLETED");
    expect(asked[0]).toBe("workflow.run task/steps/double.yaml");
    const [child] = await childrenOf(world, runId);
    const state = await world.state(String(child!["id"]));
    expect(state.inputs).toEqual({ n: 1, note: "secret://shop" });
    const { workspaces } = world.submitDeps;
    const parent = await world.state(runId);
    expect((await workspaces.load(state.workspace)).files).toEqual(
      (await workspaces.load(parent.broughtFiles)).files,
    );
  });

  test("has no more time than policy gives it", async () => {
    const world = await start({ decideFully: decides("allow", { obligations: { timeoutMs: 300 } }) });
    const waiting = "version: 1\nname: waiting\nsteps: [{ id: w, wait: { signal: go } }]\n";
    const { name, digest } = requireWorkflow(waiting);
    await world.registry.add({ tenant: "default", name, digest, text: waiting, addedBy: "eve" });
    await world.startWorker("one");
    const runId = await world.submit(
      outer(", timeout: 1h").replace("workflow: double", "workflow: waiting").replace("{ n: 4 }", "{}"),
    );
    const row = await world.until(runId, "FAILED");
    expect(row.error).toMatchObject({ code: "STEP_TIMEOUT", step: "c" });
  });

  test("waits as long as a rate of policy holds it back", async () => {
    const rate = { count: 1, perMs: 400 };
    const world = await start({ decideFully: decides("allow", { obligations: { rate } }) });
    await world.startWorker("one");
    const runId = await world.submit(`${outer()}  - { id: d, workflow: double, inputs: { n: 1 } }\n`);
    await world.until(runId, "COMPLETED");
    const { steps } = await world.state(runId);
    expect(steps.get("d")!.startedAtMs - steps.get("c")!.startedAtMs).toBeGreaterThanOrEqual(400);
    expect(await childrenOf(world, runId)).toHaveLength(2);
  });
});

describe("the action workflow.run", () => {
  test("cannot be named by a tool step, which is told what to write", () => {
    const tool = createRunWorkflowTool();
    const workflow = requireWorkflow(
      "version: 1\nname: w\nsteps: [{ id: a, tool: workflow.run, with: {} }]\n",
    );
    const known = new Map([[tool.name, tool as unknown as AnyTool]]);
    expect(findUnknownTools(workflow, known)).toMatchObject([
      { message: "there is no tool `workflow.run`", hint: "write a step with `workflow: NAME`" },
    ]);
  });

  test("does nothing by itself", async () => {
    const tool = createRunWorkflowTool();
    const context = { roots: [], runId: "run" };
    await expect(tool.resolve({}, context)).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });
});
