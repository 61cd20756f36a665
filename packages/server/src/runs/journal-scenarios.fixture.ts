/** Runs that between them write every kind of event: each is driven to a moment at which people may upgrade, and from there to its end. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import type { Decision } from "../policy/rules/decision.ts";
import type { TaskState } from "../queue/task.ts";
import { requireWorkflow } from "../workflows/workflow-file.ts";
import { rerunRun } from "./control/rerun.ts";
import { steerRun } from "./control/steer.ts";
import { putMessage } from "./session/inbox.ts";
import type { TestTool, World } from "./testing-world.ts";

/** How the tools behave for now. */
export interface Mood {
  readonly failing: Set<string>;
  readonly hanging: Set<string>;
  readonly begun: string[];
}

export interface Scenario {
  readonly name: string;
  /** Up to the moment of the upgrade. Gives the runs, the one that `end` speaks of last. */
  readonly begin: (world: World, mood: Mood) => Promise<readonly string[]>;
  /** What people do afterwards; the newer program does the rest. */
  readonly goOn: (world: World, runId: string) => Promise<void>;
  readonly end: { readonly state: TaskState; readonly outputs: JsonObject | null };
}

export function createMood(): Mood {
  return { failing: new Set(), hanging: new Set(), begun: [] };
}

/** One tool for each class of effect. What is called `flaky` fails while the mood says so, in a way that may pass. */
export function scenarioTools(mood: Mood): readonly TestTool[] {
  const tool = (name: string, effect: TestTool["effect"], files: TestTool["files"] = "none"): TestTool => ({
    name,
    effect,
    files,
    touchesFiles: files !== "none",
    act: async ({ name: id, value }, { roots, signal }) => {
      const called = id as string;
      mood.begun.push(called);
      if (mood.hanging.has(called)) await untilStopped(signal);
      if (mood.failing.has(called)) {
        throw new HomeostatError("HTTP_FAILED", `${called} broke`, { transient: called === "flaky" });
      }
      if (files !== "none") await writeFile(join(roots[0]!.path, called), String(value));
      return value ?? null;
    },
  });
  return [
    tool("test.do", "idempotent"),
    tool("test.pay", "unsafe"),
    tool("test.write", "idempotent", "writes"),
    tool("test.ask", "idempotent"),
    tool("test.never", "unsafe"),
  ];
}

/** `test.ask` is asked about, `test.never` is forbidden, the others may act. */
export function scenarioPolicy(action: string): Decision["effect"] {
  return action === "test.ask" ? "ask" : action === "test.never" ? "deny" : "allow";
}

export const scenarios: readonly Scenario[] = [
  {
    name: "spoken to, paused, answered, and waiting for a signal",
    async begin(world) {
      await world.startWorker("recorder");
      const runId = await world.submit(spokenTo);
      const { id } = await world.waitingApproval(runId);
      await world.until(runId, "WAITING");
      const words = { tenant: "default", runId, by: "eve", message: "use the blue one" };
      await steerRun({ ...world.submitDeps, holdsSecret: () => false }, words);
      await world.command(runId, "pause");
      await untilKind(world, runId, "run.paused");
      await world.command(runId, "resume");
      await untilKind(world, runId, "run.resumed");
      await world.answer(id, "approve", "fine");
      await world.signal(runId, "first", { n: 1 });
      await untilStep(world, runId, "second");
      return [runId];
    },
    goOn: (world, runId) => world.signal(runId, "second", { n: 2 }),
    end: { state: "COMPLETED", outputs: { sum: 3, told: "use the blue one", asked: "yes" } },
  },
  {
    name: "every kind of step, completed",
    async begin(world, mood) {
      mood.failing.add("bad");
      await world.startWorker("recorder");
      const runId = await world.submit(everyStep);
      await world.until(runId, "COMPLETED");
      return [runId];
    },
    goOn: () => Promise.resolve(),
    end: {
      state: "COMPLETED",
      outputs: { all: [1, 2], both: { l: { n: 1 }, r: { n: 2 } }, late: "STEP_TIMEOUT" },
    },
  },
  {
    name: "cancelled",
    async begin(world) {
      const runId = await world.submit(spokenTo);
      await world.cancelAtOnce(runId);
      return [runId];
    },
    goOn: () => Promise.resolve(),
    end: { state: "CANCELLED", outputs: null },
  },
  {
    name: "undoing, with a question whether to try to undo again",
    async begin(world, mood) {
      for (const name of ["bad", "undo"]) mood.failing.add(name);
      await world.startWorker("recorder");
      const runId = await world.submit(undoing);
      const first = await world.waitingApproval(runId);
      await world.until(runId, "WAITING");
      await world.answer(first.id, "approve");
      await untilQuestion(world, runId, first.id);
      await world.until(runId, "WAITING");
      return [runId];
    },
    goOn: async (world, runId) => {
      const { id } = await world.waitingApproval(runId);
      await world.answer(id, "approve");
    },
    end: { state: "FAILED", outputs: null },
  },
  {
    name: "a dead letter that was revived and is to be tried again",
    async begin(world, mood) {
      mood.failing.add("flaky");
      await world.startWorker("recorder");
      const runId = await world.submit(passing);
      for (let attempt = 1; attempt < 3; attempt += 1) await skipWait(world, runId, "RETRYING", attempt);
      await world.until(runId, "DEAD");
      await world.command(runId, "retry");
      await world.until(runId, "RETRYING");
      return [runId];
    },
    goOn: () => Promise.resolve(),
    end: { state: "COMPLETED", outputs: { v: 7 } },
  },
  {
    name: "an outcome was lost and told by a person, and another is lost",
    async begin(world, mood) {
      for (const name of ["one", "two"]) mood.hanging.add(name);
      const first = await world.startWorker("first");
      const runId = await world.submit(paying);
      await untilBegun(mood, "one");
      await first.stop();
      const second = await world.startWorker("second", ["first"]);
      const { id } = await world.waitingApproval(runId);
      await world.until(runId, "WAITING");
      await world.answer(id, "happened", "seen on the account", { result: "paid" });
      await untilBegun(mood, "two");
      await second.stop();
      return [runId];
    },
    goOn: async (world, runId) => {
      const { id } = await world.waitingApproval(runId);
      await world.answer(id, "did-not-happen");
    },
    end: { state: "COMPLETED", outputs: { one: "paid", two: 2 } },
  },
  {
    name: "one child has ended, another waits for a person",
    async begin(world) {
      const { name, digest } = requireWorkflow(child);
      await world.registry.add({ tenant: "default", name, digest, text: child, addedBy: "eve" });
      await world.startWorker("recorder");
      const runId = await world.submit(parent);
      const inner = await untilChild(world, runId, 1);
      await world.answer((await world.waitingApproval(inner)).id, "approve");
      const second = await untilChild(world, runId, 2);
      await world.waitingApproval(second);
      await world.until(second, "WAITING");
      return [inner, second, runId];
    },
    goOn: async (world, runId) => {
      const { id } = await world.waitingApproval(await untilChild(world, runId, 2));
      await world.answer(id, "approve");
    },
    end: { state: "COMPLETED", outputs: { by: ["eve", "eve"] } },
  },
  {
    name: "made of a run that failed, from the step that failed",
    async begin(world, mood) {
      mood.failing.add("bad");
      await world.startWorker("recorder");
      const source = await world.submit(failing);
      await world.until(source, "FAILED");
      mood.failing.clear();
      const deps = { ...world.submitDeps, readBlobText: world.readBlobText };
      const { run } = await rerunRun(deps, {
        ...{ runId: source, tenant: "default", by: "eve", kind: "rerun", fromStep: "bad", seq: null },
        ...{ inputs: { n: 4 }, stepArguments: {}, isConfirmed: false, isDryRun: false },
      });
      await world.waitingApproval(run!.id);
      await world.until(run!.id, "WAITING");
      return [source, run!.id];
    },
    goOn: async (world, runId) => {
      const { id } = await world.waitingApproval(runId);
      await world.answer(id, "approve");
    },
    end: { state: "COMPLETED", outputs: { kept: 3, again: 4 } },
  },
  {
    name: "refused, tried again, and held back by the circuit breaker",
    async begin(world, mood) {
      mood.failing.add("flaky");
      await world.startWorker("recorder");
      for (let i = 0; i < 4; i += 1) {
        const other = await world.submit(passing);
        await world.until(other, "RETRYING");
        await world.command(other, "cancel");
        await world.until(other, "CANCELLED");
      }
      const runId = await world.submit(heldBack);
      await untilKind(world, runId, "action.held");
      await world.until(runId, "WAITING");
      return [runId];
    },
    goOn: () => Promise.resolve(),
    end: { state: "COMPLETED", outputs: { v: 7, refused: "ACTION_DENIED" } },
  },
  {
    name: "a changed folder was put right",
    async begin(world) {
      await world.startWorker("recorder");
      const runId = await world.submit(writing);
      const first = await world.waitingApproval(runId);
      await world.until(runId, "WAITING");
      await writeFile(join(world.folder, "workspaces", runId, "a.txt"), "edited");
      await world.answer(first.id, "approve");
      await untilQuestion(world, runId, first.id);
      await world.until(runId, "WAITING");
      return [runId];
    },
    goOn: async (world, runId) => {
      const { id } = await world.waitingApproval(runId);
      await world.answer(id, "approve");
    },
    end: { state: "COMPLETED", outputs: { last: "c" } },
  },
  {
    name: "told what no journal can hold, as older versions let it be told",
    async begin(world) {
      const runId = await world.submit(spokenTo);
      await world.store.write(
        putMessage(runId, "steer/1", { kind: "steer", by: "eve", message: "\ud800" }, 0),
      );
      await world.startWorker("recorder");
      await untilKind(world, runId, "message.set_aside");
      return [runId];
    },
    goOn: (world, runId) => world.command(runId, "cancel"),
    end: { state: "CANCELLED", outputs: null },
  },
];

const head = "version: 1\nname: recorded\n";
const act = (id: string, value: string | number, rest = ""): string =>
  `{ id: ${id}, tool: test.do, with: { name: ${id}, value: ${value} }${rest} }`;

const spokenTo = `${head}steps:
  - { id: sure, tool: test.ask, with: { name: sure, value: "yes" } }
  - { id: first, wait: { signal: first } }
  - { id: second, wait: { signal: second } }
outputs:
  sum: "\${{ steps.first.output.data.n + steps.second.output.data.n }}"
  told: "\${{ run.messages[0].text }}"
  asked: "\${{ steps.sure.output }}"
`;

const everyStep = `${head}steps:
  - { id: values, set: { n: 1 } }
  - { id: skipped, if: "\${{ false }}", set: { x: 1 } }
  - id: loop
    for_each: [1, 2]
    steps: [${act("inner", "${{ item }}").replace("${{ item }}", '"${{ item }}"')}]
    collect: "\${{ steps.inner.output }}"
  - id: choice
    branch: [{ when: "\${{ steps.values.output.n == 1 }}", steps: [{ id: taken, set: { y: 1 } }] }]
  - id: both
    parallel:
      l: [{ id: left, set: { n: 1 } }]
      r: [{ id: right, set: { n: 2 } }]
  - { id: pause, wait: { for: 10ms } }
  - id: block
    group: [${act("bad", 1)}]
    catch: [{ id: rescue, set: { why: "\${{ error.code }}" } }]
  - id: late
    timeout: 50ms
    group: [{ id: long, wait: { for: 1h } }]
    on_error: continue
outputs:
  all: "\${{ steps.loop.output }}"
  both: { l: "\${{ steps.both.output.l }}", r: "\${{ steps.both.output.r }}" }
  late: "\${{ steps.late.error.code }}"
`;

const undoing = `${head}steps:
  - ${act("done", 1, `, compensate: [${act("undo", 2)}]`)}
  - ${act("bad", 3)}
`;

const passing = `${head}steps: [${act("flaky", 7)}]\noutputs: { v: "\${{ steps.flaky.output }}" }\n`;

const paying = `${head}steps:
  - { id: one, tool: test.pay, with: { name: one, value: 1 } }
  - { id: two, tool: test.pay, with: { name: two, value: 2 } }
outputs: { one: "\${{ steps.one.output }}", two: "\${{ steps.two.output }}" }
`;

const child = `version: 1
name: asking
outputs: { by: "\${{ steps.q.output.by }}" }
steps: [{ id: q, approval: { message: "Go?" } }]
`;

const parent = `${head}steps: [{ id: c, workflow: asking }, { id: d, workflow: asking }]
outputs: { by: ["\${{ steps.c.output.by }}", "\${{ steps.d.output.by }}"] }
`;

const failing = `${head}inputs: { n: { type: integer, default: 3 } }
steps:
  - ${act("kept", '"${{ inputs.n }}"')}
  - ${act("bad", '"${{ inputs.n }}"')}
  - { id: sure, approval: { message: "Go on?" } }
outputs: { kept: "\${{ steps.kept.output }}", again: "\${{ steps.bad.output }}" }
`;

const heldBack = `${head}steps:
  - { id: no, tool: test.never, with: { name: no }, on_error: continue }
  - ${act("flaky", 7, ", retry: { attempts: 5, delay: 10ms }")}
outputs: { v: "\${{ steps.flaky.output }}", refused: "\${{ steps.no.error.code }}" }
`;

const writing = `${head}steps:
  - { id: a, tool: test.write, with: { name: a.txt, value: a } }
  - { id: first, approval: { message: "Go on?" } }
  - { id: b, tool: test.write, with: { name: b.txt, value: b } }
  - { id: second, approval: { message: "Go on?" } }
  - { id: c, tool: test.write, with: { name: c.txt, value: c } }
outputs: { last: "\${{ steps.c.output }}" }
`;

function untilStopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

async function untilTrue(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 10) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it did not come to this in time: ${what}`);
}

function untilKind(world: World, runId: string, kind: string): Promise<void> {
  return untilTrue(kind, async () => (await world.kinds(runId)).includes(kind));
}

function untilBegun({ begun }: Mood, name: string): Promise<void> {
  return untilTrue(`${name} acts`, () => begun.includes(name));
}

async function untilStep(world: World, runId: string, step: string): Promise<void> {
  await untilTrue(`waits at ${step}`, async () => (await world.state(runId)).steps.has(step));
  await world.until(runId, "WAITING");
}

/** Another question than `notThis`. */
function untilQuestion(world: World, runId: string, notThis: string): Promise<void> {
  return untilTrue("another question", async () => (await world.waitingApproval(runId)).id !== notThis);
}

/** Nobody waits for the back-off: the run is due now. */
async function skipWait(world: World, runId: string, state: TaskState, attempts: number): Promise<void> {
  await untilTrue(`attempt ${attempts}`, async () => (await world.row(runId)).attempts === attempts);
  await world.until(runId, state);
  await world.store.write([{ sql: "UPDATE runs SET wake_at_ms = 0 WHERE id = ?", params: [runId] }]);
}

async function untilChild(world: World, runId: string, count: number): Promise<string> {
  let ids: readonly string[] = [];
  await untilTrue(`${count} children`, async () => {
    const rows = await world.store.read("SELECT id FROM runs WHERE parent = ? ORDER BY id", [runId]);
    ids = rows.map((row) => row["id"] as string);
    return ids.length >= count;
  });
  return ids[count - 1]!;
}
