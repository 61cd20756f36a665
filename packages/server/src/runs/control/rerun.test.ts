import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import { rerunRun } from "./rerun.ts";
import type { RerunAnswer, RerunRequest } from "./rerun.ts";
import { createWorld } from "../testing-world.ts";
import type { TestTool, World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

interface Acts {
  readonly done: { readonly key: string; readonly value: unknown }[];
}

/** `test.note` records what it was asked; `test.pay` is unsafe; `test.break` fails until it is mended. */
async function start(): Promise<{ world: World; acts: Acts; mend: () => void }> {
  const acts: Acts = { done: [] };
  let isBroken = true;
  const note = (name: string, effect: TestTool["effect"]): TestTool => ({
    name,
    effect,
    touchesFiles: effect === "idempotent",
    act: async ({ value }, { idempotencyKey, roots }) => {
      acts.done.push({ key: idempotencyKey, value });
      if (effect === "idempotent") await writeFile(join(roots[0]!.path, "last.txt"), String(value));
      return value ?? null;
    },
  });
  const broken: TestTool = {
    name: "test.break",
    effect: "idempotent",
    act: ({ value }) =>
      isBroken
        ? Promise.reject(new HomeostatError("ACTION_FAILED", "broken"))
        : Promise.resolve(value ?? null),
  };
  const world = await createWorld({
    tools: [note("test.note", "idempotent"), note("test.pay", "unsafe"), broken],
  });
  worlds.push(world);
  await world.startWorker("one");
  return { world, acts, mend: () => (isBroken = false) };
}

function rerun(world: World, runId: string, request: Partial<RerunRequest> = {}): Promise<RerunAnswer> {
  return rerunRun(
    { ...world.submitDeps, readBlobText: world.readBlobText },
    {
      runId,
      tenant: "default",
      by: "eve",
      kind: "rerun",
      fromStep: null,
      seq: null,
      inputs: {},
      stepArguments: {},
      isConfirmed: false,
      isDryRun: false,
      ...request,
    },
  );
}

const text = `version: 1
name: w
inputs: { n: { type: integer, default: 1 } }
steps:
  - { id: first, tool: test.note, with: { value: "\${{ inputs.n }}" } }
  - { id: each, for_each: "\${{ [10, 20] }}", steps: [{ id: inner, tool: test.note, with: { value: "\${{ item }}" } }] }
  - { id: last, tool: test.break, with: { value: "\${{ steps.first.output + inputs.n }}" } }
outputs: { last: "\${{ steps.last.output }}" }
`;

describe("a re-run from a step", () => {
  test("keeps what was done before, proves where it is on record, and does the rest with edited input", async () => {
    const { world, acts, mend } = await start();
    const source = await world.submit(text);
    await world.until(source, "FAILED");
    mend();
    const answer = await rerun(world, source, { fromStep: "last", inputs: { n: 5 } });
    const runId = answer.run!.id;
    await world.until(runId, "COMPLETED");
    // `first` keeps its outcome of before; `last` sees the new input.
    expect((await world.state(runId)).outputs).toEqual({ last: 6 });
    expect(acts.done).toHaveLength(3);
    expect(answer.carried.map(({ step, as }) => `${step} ${as}`)).toEqual([
      "first completed",
      "each completed",
      "each/0/inner completed",
      "each/1/inner completed",
    ]);
    const state = await world.state(runId);
    expect(state).toMatchObject({ parent: source, origin: { kind: "rerun", run: source }, stepsDone: 5 });
    const rows = await world.store.read("SELECT seq, digest FROM journal WHERE run_id = ?", [source]);
    const digests = new Map(rows.map((row) => [row["seq"], row["digest"]]));
    for (const { from } of answer.carried) expect(digests.get(from.seq)).toBe(from.digest);
  });

  test("begins with the files the source had at that point", async () => {
    const { world } = await start();
    const source = await world.submit(text);
    await world.until(source, "FAILED");
    const answer = await rerun(world, source, { fromStep: "each/1/inner" });
    expect(answer.carried.map(({ step, as }) => `${step} ${as}`)).toEqual([
      "first completed",
      "each open",
      "each/0/inner completed",
    ]);
    const { workspace } = await world.state(answer.run!.id);
    const manifest = await world.submitDeps.workspaces.load(workspace);
    const { sha256, sizeBytes } = manifest.files["last.txt"]!;
    const subject = answer.run!.id;
    expect((await world.submitDeps.blobs.get({ subject, sha256, sizeBytes })).toString()).toBe("10");
  });

  test("goes on inside a loop with new keys, once for each round that is left", async () => {
    const { world, acts, mend } = await start();
    const source = await world.submit(text);
    await world.until(source, "FAILED");
    mend();
    const before = acts.done.length;
    const { run } = await rerun(world, source, { fromStep: "each/1/inner" });
    await world.until(run!.id, "COMPLETED");
    expect(acts.done.slice(before)).toEqual([{ key: `${run!.id}/each/1/inner/1`, value: 20 }]);
    const folder = join(world.folder, "workspaces", run!.id);
    expect(await readFile(join(folder, "last.txt"), "utf8")).toBe("20");
  });

  test("gives a step other arguments, which count as a person's", async () => {
    const { world, acts } = await start();
    const source = await world.submit(text);
    await world.until(source, "FAILED");
    const { run } = await rerun(world, source, {
      fromStep: "each/1/inner",
      stepArguments: { "each/1/inner": { value: 99 } },
    });
    await world.until(run!.id, "FAILED");
    expect(acts.done.at(-1)).toEqual({ key: `${run!.id}/each/1/inner/1`, value: 99 });
    expect((await world.state(run!.id)).steps.get("each/1/inner")?.intent?.labels).toContain("user");
  });

  test("refuses arguments that no step would read", async () => {
    const { world } = await start();
    const source = await world.submit(text);
    await world.until(source, "FAILED");
    const giving = (step: string): Promise<RerunAnswer> =>
      rerun(world, source, { fromStep: "each/1/inner", stepArguments: { [step]: { value: 1 } } });
    await expect(giving("each/1/iner")).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: "each/1/iner is no step of the workflow",
      hint: expect.stringContaining("inner") as string,
    });
    await expect(giving("each")).rejects.toThrow("each calls no tool");
    await expect(giving("each/0/inner")).rejects.toThrow("each/0/inner is kept as it was done");
  });

  test("from the beginning carries nothing", async () => {
    const { world, acts } = await start();
    const source = await world.submit(text);
    await world.until(source, "FAILED");
    const answer = await rerun(world, source, {});
    expect(answer.carried).toEqual([]);
    await world.until(answer.run!.id, "FAILED");
    expect(acts.done).toHaveLength(6);
  });

  test("says what is wrong: a run that goes on, a step it never came to, another tenant's run", async () => {
    const { world } = await start();
    const asking = 'version: 1\nname: w\nsteps:\n  - { id: sure, approval: { message: "Go on?" } }\n';
    const waiting = await world.submit(asking);
    await world.waitingApproval(waiting);
    await world.until(waiting, "WAITING");
    await expect(rerun(world, waiting)).rejects.toMatchObject({ code: "RUN_STATE_CONFLICT" });
    await world.command(waiting, "cancel");
    await world.until(waiting, "CANCELLED");
    await expect(rerun(world, waiting, { fromStep: "sur" })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      hint: "did you mean `sure`?",
    });
    await expect(rerun(world, waiting, { tenant: "red" })).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    await expect(rerun(world, waiting, { kind: "fork", seq: 99 })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
  });
});

describe("effects that cannot be taken back", () => {
  const paying = `version: 1
name: w
steps:
  - { id: pay, tool: test.pay, with: { value: 7 } }
  - { id: last, tool: test.break, with: {} }
`;

  test("are named and wait for a word before they are done again", async () => {
    const { world, acts, mend } = await start();
    const source = await world.submit(paying);
    await world.until(source, "FAILED");
    mend();
    await expect(rerun(world, source)).rejects.toMatchObject({
      code: "RUN_REPEATS_EFFECTS",
      details: [{ path: "pay", detail: expect.stringContaining("completed") as string }],
    });
    const dry = await rerun(world, source, { isDryRun: true });
    expect(dry).toMatchObject({ run: null, repeats: [{ step: "pay", effect: "unsafe" }, { step: "last" }] });
    expect(acts.done).toHaveLength(1);
    const { run } = await rerun(world, source, { isConfirmed: true });
    await world.until(run!.id, "COMPLETED");
    expect(acts.done.map(({ key }) => key)).toEqual([`${source}/pay/1`, `${run!.id}/pay/1`]);
  });

  test("are not repeated when the re-run begins behind them", async () => {
    const { world, acts, mend } = await start();
    const source = await world.submit(paying);
    await world.until(source, "FAILED");
    mend();
    const { run, repeats } = await rerun(world, source, { fromStep: "last" });
    expect(repeats.map(({ step }) => step)).toEqual(["last"]);
    await world.until(run!.id, "COMPLETED");
    expect(acts.done).toHaveLength(1);
  });
});

describe("a fork", () => {
  const asking = `version: 1
name: w
steps:
  - { id: first, tool: test.note, with: { value: 1 } }
  - { id: sure, approval: { message: "Go on?", on_reject: skip } }
  - { id: last, tool: test.note, with: { value: 2 } }
outputs: { sure: "\${{ steps.sure.state }}" }
`;

  test("goes on beside its source, each with its own answer", async () => {
    const { world } = await start();
    const source = await world.submit(asking);
    const question = await world.waitingApproval(source);
    await world.until(source, "WAITING");
    const { run, carried } = await rerun(world, source, { kind: "fork" });
    expect(carried.map(({ step }) => step)).toEqual(["first"]);
    const other = await world.waitingApproval(run!.id);
    expect(other.id).not.toBe(question.id);
    await world.answer(question.id, "approve");
    await world.answer(other.id, "reject", "no");
    await world.until(source, "COMPLETED");
    await world.until(run!.id, "COMPLETED");
    expect((await world.state(source)).outputs).toEqual({ sure: "completed" });
    expect((await world.state(run!.id)).outputs).toEqual({ sure: "skipped" });
  });

  test("of a fork carries the outcome on, each proved in the run before", async () => {
    const { world } = await start();
    const source = await world.submit(asking);
    await world.waitingApproval(source);
    await world.until(source, "WAITING");
    const { run: one } = await rerun(world, source, { kind: "fork" });
    await world.waitingApproval(one!.id);
    await world.until(one!.id, "WAITING");
    const { run: two, carried } = await rerun(world, one!.id, { kind: "fork" });
    expect(carried).toMatchObject([{ step: "first", from: { run: one!.id, seq: 2 } }]);
    const { id } = await world.waitingApproval(two!.id);
    await world.answer(id, "approve");
    await world.until(two!.id, "COMPLETED");
  });

  test("at an earlier event does later steps itself", async () => {
    const { world, acts } = await start();
    const source = await world.submit(asking);
    await world.answer((await world.waitingApproval(source)).id, "approve");
    await world.until(source, "COMPLETED");
    const { run, carried, repeats } = await rerun(world, source, { kind: "fork", seq: 2 });
    expect(carried).toEqual([]);
    expect(repeats.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      "first completed",
      "last completed",
    ]);
    await world.waitingApproval(run!.id);
    expect(acts.done).toHaveLength(3);
  });
});

describe("what the source has undone", () => {
  test("is done again, and what is carried is not undone twice", async () => {
    const { world, acts } = await start();
    const undoing = `version: 1
name: w
steps:
  - id: kept
    tool: test.note
    with: { value: 1 }
  - id: made
    tool: test.note
    with: { value: 2 }
    compensate: [{ id: undo, tool: test.note, with: { value: -2 } }]
  - { id: last, tool: test.break, with: {} }
`;
    const source = await world.submit(undoing);
    await world.until(source, "FAILED");
    expect(acts.done.map(({ value }) => value)).toEqual([1, 2, -2]);
    const { run, carried } = await rerun(world, source, { fromStep: "last" });
    expect(carried.map(({ step }) => step)).toEqual(["kept"]);
    await world.until(run!.id, "FAILED");
    expect(acts.done.map(({ value }) => value)).toEqual([1, 2, -2, 2, -2]);
  });
});
