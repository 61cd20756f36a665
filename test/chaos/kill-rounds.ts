/** Kills the server at random moments while it works, again and again, then lets it finish and checks what must hold. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreReader } from "../../packages/server/src/store/store.ts";
import { openStateReader } from "../../packages/server/src/home/state-store.ts";
import { startFakeBank } from "./fake-bank.ts";
import type { FakeBank } from "./fake-bank.ts";
import { findViolations } from "./invariants.ts";
import { createRandom } from "./random.ts";
import { createApi, freePort, startServer } from "./server-process.ts";
import type { Api, ServerOptions } from "./server-process.ts";

export interface KillRoundsOptions {
  readonly kills: number;
  readonly seed: number;
  /** Progress for people. */
  readonly say: (line: string) => void;
}

export interface KillRoundsResult {
  readonly runs: number;
  readonly kills: number;
  /** Kills that fell before the server was ready. */
  readonly killsWhileStarting: number;
  readonly outcomeQuestions: number;
  readonly charges: number;
  /** What did not hold; empty is success. */
  readonly violations: readonly string[];
}

/** Everything the runs need is allowed but deleting, which asks: the harness answers as a person would. */
const policy = `version: 1
rules:
  - name: everything else
    action: "*"
    effect: allow
  - name: deleting asks
    action: file_ops.delete
    effect: ask
`;

function paymentWorkflow(port: number): string {
  return `version: 1
name: payment
steps:
  - id: note
    tool: file_ops.write
    with: { path: note.txt, content: "about to pay" }
  - id: pay
    tool: http.request
    with: { method: POST, url: "http://127.0.0.1:${port}/charge", body: "amount=1" }
  - id: receipt
    tool: file_ops.write
    with: { path: receipt.txt, content: "paid" }
  - id: clean
    tool: file_ops.delete
    with: { path: note.txt }
`;
}

interface Stage {
  readonly server: ServerOptions;
  readonly api: Api;
  readonly bank: FakeBank;
  readonly random: () => number;
  readonly submitted: Map<string, string>;
  outcomeQuestions: number;
}

export async function killRounds(options: KillRoundsOptions): Promise<KillRoundsResult> {
  const random = createRandom(options.seed);
  const home = await mkdtemp(join(tmpdir(), "homeostat-chaos-"));
  const bank = await startFakeBank(150);
  const port = await freePort();
  const place = `127.0.0.1:${bank.port}`;
  const server: ServerOptions = {
    home,
    port,
    token: `hst_${"c".repeat(43)}`,
    environment: { HOMEOSTAT_TOOLS_ALLOWED_HOSTS: place, HOMEOSTAT_TOOLS_ALLOW_PRIVATE: place },
  };
  await writeFile(join(home, "policy.yaml"), policy);
  const stage: Stage = {
    server,
    api: createApi(server),
    bank,
    random,
    submitted: new Map(),
    outcomeQuestions: 0,
  };
  try {
    let killsWhileStarting = 0;
    for (let kill = 0; kill < options.kills; kill += 1) {
      if (!(await oneRound(stage))) killsWhileStarting += 1;
      if (kill % 10 === 9) options.say(`${kill + 1} kills, ${stage.submitted.size} runs submitted`);
    }
    const violations = await finish(stage);
    return {
      runs: stage.submitted.size,
      kills: options.kills,
      killsWhileStarting,
      outcomeQuestions: stage.outcomeQuestions,
      charges: [...bank.charges.values()].reduce((sum, count) => sum + count, 0),
      violations,
    };
  } finally {
    await bank.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** True when the server was ready before it was killed. */
async function oneRound(stage: Stage): Promise<boolean> {
  const server = startServer(stage.server);
  // Three in four kills fall into the work itself, the rest anywhere from the first instruction on.
  const early = stage.random() < 0.25;
  let dead = false;
  const killer = (async () => {
    if (!early) await server.ready;
    await sleep(stage.random() * (early ? 900 : 1_200));
    await server.kill();
    dead = true;
  })();
  let ready = false;
  try {
    await Promise.race([server.ready, killer]);
    ready = !dead;
    while (!dead) await step(stage);
  } catch {
    // The connection broke with the kill: exactly what is tried here.
  }
  await killer;
  return ready;
}

/** Keeps a few runs going and answers what is asked. */
async function step(stage: Stage): Promise<void> {
  const { data: open } = await stage.api.get<{ data: { id: string }[] }>(
    "/v1/runs?state=PENDING,QUEUED,RUNNING,RETRYING,WAITING",
  );
  // A server that died with the task half taken in keeps its key for a while.
  if (open.length < 3 || unacknowledged(stage) !== undefined) await submit(stage).catch(unlessConflict);
  await answerQuestions(stage);
  await sleep(20);
}

async function submit(stage: Stage): Promise<void> {
  // The key is remembered before the answer is known: after a kill the same task is asked for again, never doubled.
  const key = unacknowledged(stage) ?? `task-${stage.submitted.size}`;
  stage.submitted.set(key, "");
  const isExample = Number(key.slice("task-".length)) % 2 === 0;
  const body = isExample ? { example: "brand-audit" } : { workflow: paymentWorkflow(stage.bank.port) };
  const run = await stage.api.post<{ id: string }>("/v1/tasks", body, { "idempotency-key": key });
  stage.submitted.set(key, run.id);
}

function unlessConflict(error: unknown): void {
  if (!String(error).includes("REQUEST_CONFLICT")) throw error;
}

/** The key of a task that may have been taken in without our knowing. */
function unacknowledged({ submitted }: Stage): string | undefined {
  return [...submitted].find(([, id]) => id === "")?.[0];
}

interface Question {
  readonly id: string;
  readonly kind: "action" | "step" | "outcome";
  readonly runId: string;
  readonly step: string;
}

async function answerQuestions(stage: Stage): Promise<void> {
  const { data } = await stage.api.get<{ data: Question[] }>("/v1/approvals");
  for (const question of data) {
    if (question.kind === "outcome") stage.outcomeQuestions += 1;
    await stage.api.post(`/v1/approvals/${question.id}/decision`, {
      answer: await answerTo(question, stage.bank),
    });
  }
}

/** As a person who looks at the bank's records. */
async function answerTo(question: Question, bank: FakeBank): Promise<string> {
  if (question.kind !== "outcome") return "approve";
  return (await bank.wasCharged(question.runId, question.step)) ? "happened" : "did-not-happen";
}

async function finish(stage: Stage): Promise<readonly string[]> {
  const server = startServer(stage.server);
  await server.ready;
  try {
    const deadline = Date.now() + 120_000;
    for (;;) {
      while (unacknowledged(stage) !== undefined) await submit(stage).catch(() => sleep(100));
      await answerQuestions(stage);
      const { data } = await stage.api.get<{ data: { id: string }[] }>(
        "/v1/runs?state=PENDING,QUEUED,RUNNING,RETRYING,WAITING",
      );
      if (data.length === 0) break;
      if (Date.now() > deadline) return [`runs did not finish: ${data.map((run) => run.id).join(", ")}`];
      await sleep(100);
    }
    const { home } = stage.server;
    const openReader = (): Promise<StoreReader> =>
      openStateReader({ home, databaseUrl: undefined, databaseReadUrl: undefined });
    const { submitted } = stage;
    return await findViolations({ home, openReader }, stage.bank, { submitted, ends: ["COMPLETED"] });
  } finally {
    await server.stop();
  }
}
