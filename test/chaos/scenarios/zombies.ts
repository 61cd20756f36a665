/** A worker that stands still beyond its lease and wakes up believing that it still has it. */
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { homeAt } from "../../../packages/server/src/home/home.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Member } from "../../cluster/member-process.ts";
import { submitPayments, untilAllEnded } from "../../cluster/payments.ts";
import type { Payments } from "../../cluster/payments.ts";
import { startCommitProxy } from "../commit-proxy.ts";
import type { Chaos, Scenario, ScenarioResult, Stage } from "../scenario.ts";

const leaseSeconds = 5;
const environment = { HOMEOSTAT_RUNS_LEASE_SECONDS: String(leaseSeconds) };
const beyondLeaseMs = leaseSeconds * 1000 + 3_000;
/** Long enough for a worker that goes on to do what it had begun, if it did. */
const afterwardsMs = 2_500;

export const zombies: Scenario = {
  name: "zombies",
  about: "SIGSTOP a worker that has runs until others have taken them over, then SIGCONT",
  needs: [],
  breaks: ["heldRuns"],
  async run({ open, scale, random }) {
    const { cluster, bank, settle } = await open({ database: "sqlite", bankDelayMs: 60, environment });
    await cluster.start("gateway");
    await Promise.all([cluster.start("worker"), cluster.start("worker")]);
    const runs = 30 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 4 });
    let heldRuns = 0;
    for (let round = 0; round < scale; round += 1) {
      while (bank.charges.size < 3 + (round * runs) / scale) await sleep(10);
      const workers = cluster.living("worker");
      const zombie = workers[Math.floor(random() * workers.length)]!;
      for (let held = 0, tries = 0; held === 0 && tries < 50; tries += 1) {
        await sleep(20);
        stop(zombie);
        held = await countHeld(cluster, zombie);
        heldRuns += held;
        if (held === 0) zombie.child.kill("SIGCONT");
      }
      await sleep(beyondLeaseMs);
      zombie.child.kill("SIGCONT");
    }
    const payments = await submitting;
    const violations = await settle(payments);
    return { violations, figures: { zombies: scale, heldRuns, runs, questions: payments.outcomeQuestions } };
  },
};

export const zombieInTool: Scenario = {
  name: "zombie-in-tool",
  about:
    "SIGSTOP a worker whose payment has reached the bank; SIGCONT, and the bank's answer, when another has ended the run",
  needs: [],
  breaks: ["stopped", "heldRuns"],
  async run(chaos) {
    const stage = await chaos.open({ database: "sqlite", environment });
    const { cluster, bank } = stage;
    await cluster.start("gateway");
    return await rounds(chaos, stage, {
      async catchOne(submit) {
        const zombie = await cluster.start("worker");
        const reached = bank.holdNext();
        submit();
        await reached;
        stop(zombie);
        return zombie;
      },
      release: () => bank.letGo(),
    });
  },
};

export const zombieBeforeAct: Scenario = {
  name: "zombie-before-act",
  about:
    "SIGSTOP a worker between the durable intent of a payment and the payment; SIGCONT when another has made it",
  needs: [],
  breaks: ["stopped", "heldRuns"],
  async run(chaos) {
    const stage = await chaos.open({ database: "sqlite", environment });
    const { cluster } = stage;
    const gateway = await cluster.start("gateway");
    return await rounds(chaos, stage, {
      async catchOne(submit) {
        await submit();
        // Nobody publishes now, and a payment waits for its intent to be in the ledger.
        await stopUnlocked(gateway, cluster.home);
        const zombie = await cluster.start("worker");
        await untilIntended(stage);
        stop(zombie);
        gateway.child.kill("SIGCONT");
        return zombie;
      },
    });
  },
};

export const zombieInCommit: Scenario = {
  name: "zombie-in-commit",
  about:
    "SIGSTOP a worker in the middle of a commit to SQLite, its lock in hand; SIGCONT long after its leases are over",
  needs: ["compiler"],
  breaks: ["stopped"],
  async run(chaos) {
    const injected = await chaos.faults();
    const stage = await chaos.open({ database: "sqlite", environment });
    const { cluster } = stage;
    await cluster.start("gateway");
    return await rounds(chaos, stage, {
      // Nobody else can write before it goes on.
      isAlone: true,
      sides: 2,
      async catchOne(submit, round) {
        const zombie = await cluster.start("worker", injected.environment);
        await injected.stopAtSync(commitIn(chaos), round % 2 === 0 ? "before" : "after");
        submit();
        await until("the worker stands still", () => Promise.resolve(isStopped(zombie)));
        return zombie;
      },
    });
  },
};

export const zombieInPostgresCommit: Scenario = {
  name: "zombie-in-pg-commit",
  about:
    "SIGSTOP a worker whose COMMIT to PostgreSQL is on its way, or done but unheard of; SIGCONT when another has its runs",
  needs: ["postgres"],
  breaks: ["stopped"],
  async run(chaos) {
    const stage = await chaos.open({ database: "postgres", environment });
    const { cluster } = stage;
    await cluster.start("gateway");
    const proxy = await startCommitProxy(cluster.postgres!.socket);
    const url = proxy.through(cluster.environment["HOMEOSTAT_DATABASE_URL"]!);
    try {
      return await rounds(chaos, stage, {
        async catchOne(submit, round) {
          const zombie = await cluster.start("worker", { HOMEOSTAT_DATABASE_URL: url });
          proxy.actAtCommit(commitIn(chaos), round % 2 === 0 ? "before" : "after", () => stop(zombie));
          submit();
          await until("the worker stands still", () => Promise.resolve(isStopped(zombie)));
          return zombie;
        },
        sides: 2,
        release: proxy.letGo,
      });
    } finally {
      await Promise.all(cluster.living().map((member) => member.kill()));
      await proxy.close();
    }
  },
};

/** Not the first, which takes the runs. */
function commitIn({ random }: Pick<Chaos, "random">): number {
  return 1 + Math.floor(random() * 7);
}

interface Trap {
  /** Starts a worker, has runs submitted, and resolves with it when it stands still where it should. */
  catchOne(submit: () => Promise<void>, round: number): Promise<Member>;
  /** Lets go what else held it back. */
  release?(): void;
  /** 2 where it can be caught on either side. */
  readonly sides?: 1 | 2;
  /** True: while it stands still nobody else can get on. */
  readonly isAlone?: boolean;
}

const runsPerRound = 3;

async function rounds({ scale }: Chaos, stage: Stage, trap: Trap): Promise<ScenarioResult> {
  const { cluster, bank, settle } = stage;
  const payments: Payments = { submitted: new Map(), outcomeQuestions: 0 };
  const figures = { rounds: scale * (trap.sides ?? 1), stopped: 0, heldRuns: 0 };
  for (let round = 0; round < figures.rounds; round += 1) {
    let submitting = Promise.resolve();
    const submit = (): Promise<void> => {
      const wish = { runs: runsPerRound, parallel: runsPerRound, prefix: `zombie-${round}` };
      submitting = submitPayments(cluster, bank, wish).then(({ submitted }) => {
        for (const [key, id] of submitted) payments.submitted.set(key, id);
      });
      return submitting;
    };
    const zombie = await trap.catchOne(submit, round);
    await until("the worker stands still", () => Promise.resolve(isStopped(zombie)));
    figures.stopped += 1;
    figures.heldRuns += await countHeld(cluster, zombie);
    const end = async (): Promise<void> => {
      await cluster.start("worker");
      await submitting;
      await untilAllEnded(cluster, bank, { payments, deadlineMs: 120_000 });
    };
    if (trap.isAlone === true) await sleep(beyondLeaseMs);
    else await end();
    zombie.child.kill("SIGCONT");
    trap.release?.();
    if (trap.isAlone === true) await end();
    await sleep(afterwardsMs);
    await Promise.all(cluster.living("worker").map((member) => member.kill()));
  }
  await cluster.start("worker");
  const violations = await settle(payments);
  const { outcomeQuestions: questions } = payments;
  return { violations, figures: { ...figures, runs: payments.submitted.size, questions } };
}

function stop({ child }: Member): void {
  child.kill("SIGSTOP");
}

/** Not while it writes: SQLite's lock would stand still with it. */
async function stopUnlocked(member: Member, home: string): Promise<void> {
  const database = new DatabaseSync(homeAt(home).stateDatabase, { timeout: 0 });
  const isFree = (): boolean => {
    try {
      database.exec("BEGIN IMMEDIATE; ROLLBACK");
      return true;
    } catch {
      return false;
    }
  };
  try {
    await until("a process stands still without the lock", async () => {
      stop(member);
      while (!isStopped(member)) await sleep(1);
      if (isFree()) return true;
      member.child.kill("SIGCONT");
      return false;
    });
  } finally {
    database.close();
  }
}

/** By proc_pid_stat(5); the signal takes its moment. */
function isStopped({ child }: Member): boolean {
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 30_000; !(await condition()); await sleep(10))
    if (Date.now() > endMs) throw new Error(`not in time: ${what}`);
}

/** Runs whose lease the process has on record; its pid is the third part of its name. */
async function countHeld(cluster: Cluster, { child }: Member): Promise<number> {
  const reader = await cluster.openReader();
  try {
    const rows = await reader.read("SELECT owner FROM leases WHERE name LIKE 'run/%'");
    return rows.filter((row) => String(row["owner"]).split(":")[2] === String(child.pid)).length;
  } finally {
    await reader.close();
  }
}

/** Until each run of this round has its payment in the journal, and none has made it. */
async function untilIntended({ cluster, bank }: Stage): Promise<void> {
  const reader = await cluster.openReader();
  const sql = `SELECT COUNT(*) AS n FROM journal JOIN runs ON runs.id = run_id
    WHERE kind = 'action.intended' AND step = 'pay' AND state = 'RUNNING'`;
  const before = bank.charges.size;
  try {
    await until("payments are intended", async () => {
      return Number((await reader.read(sql))[0]!["n"]) === runsPerRound;
    });
  } finally {
    await reader.close();
  }
  if (bank.charges.size > before) throw new Error("a payment did not wait for its intent to be published");
}
