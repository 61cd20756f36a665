/** A worker that stands still beyond its lease and wakes up believing that it still has it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../cluster/cluster.ts";
import { submitPayments, untilAllEnded } from "../../cluster/payments.ts";
import type { FakeBank } from "../fake-bank.ts";
import type { Scenario } from "../scenario.ts";

const leaseSeconds = 5;

export const zombies: Scenario = {
  name: "zombies",
  about: "SIGSTOP a worker until others have taken its runs over, then SIGCONT",
  needs: [],
  async run({ open, scale, random }) {
    const { cluster, bank, settle } = await open({
      database: "sqlite",
      bankDelayMs: 60,
      environment: { HOMEOSTAT_RUNS_LEASE_SECONDS: String(leaseSeconds) },
    });
    await cluster.start("gateway");
    await Promise.all([cluster.start("worker"), cluster.start("worker")]);
    const runs = 30 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 4 });
    for (let round = 0; round < scale; round += 1) {
      while (bank.charges.size < 3 + (round * runs) / scale) await sleep(10);
      const workers = cluster.living("worker");
      const zombie = workers[Math.floor(random() * workers.length)]!;
      zombie.child.kill("SIGSTOP");
      await sleep(leaseSeconds * 1000 + 3_000);
      zombie.child.kill("SIGCONT");
    }
    const payments = await submitting;
    const violations = await settle(payments);
    return { violations, figures: { zombies: scale, runs, questions: payments.outcomeQuestions } };
  },
};

export const aimedZombies: Scenario = {
  name: "aimed-zombies",
  about:
    "SIGSTOP a worker between the durable intent of a payment and the payment, SIGCONT when another has made it",
  needs: [],
  async run({ open, scale }) {
    const { cluster, bank, settle } = await open({
      database: "sqlite",
      bankDelayMs: 20,
      environment: { HOMEOSTAT_RUNS_LEASE_SECONDS: String(leaseSeconds) },
    });
    const gateway = await cluster.start("gateway");
    const payments = { submitted: new Map<string, string>(), outcomeQuestions: 0 };
    let aimed = 0;
    for (let round = 0; round < scale; round += 1) {
      const zombie = await cluster.start("worker");
      let between: readonly string[] = [];
      for (let tries = 0; between.length === 0 && tries < 20; tries += 1) {
        const prefix = `zombie-${round}-${tries}`;
        const { submitted } = await submitPayments(cluster, bank, { runs: 4, parallel: 4, prefix });
        for (const [key, id] of submitted) payments.submitted.set(key, id);
        // Nobody publishes now, and a payment waits for its intent to be in the ledger.
        gateway.child.kill("SIGSTOP");
        await sleep(700);
        zombie.child.kill("SIGSTOP");
        between = await intendedOnly(cluster, bank);
        gateway.child.kill("SIGCONT");
        if (between.length === 0) zombie.child.kill("SIGCONT");
      }
      aimed += between.length;
      const heir = await cluster.start("worker");
      await untilAllEnded(cluster, bank, { payments, deadlineMs: 120_000 });
      zombie.child.kill("SIGCONT");
      // Long enough for it to do what it had begun, if it did.
      await sleep(2_500);
      await Promise.all([zombie.kill(), heir.kill()]);
    }
    await cluster.start("worker");
    const violations = [...(await settle(payments))];
    if (aimed === 0) violations.push("no worker was ever caught between intent and payment");
    return {
      violations,
      figures: { aimed, runs: payments.submitted.size, questions: payments.outcomeQuestions },
    };
  },
};

/** Keys of payments that stand in a journal without an outcome and have not reached the bank. */
async function intendedOnly(cluster: Cluster, bank: FakeBank): Promise<readonly string[]> {
  const reader = await cluster.openReader();
  try {
    const rows = await reader.read(
      `SELECT run_id FROM journal AS one WHERE kind = 'action.intended' AND step = 'pay' AND NOT EXISTS
        (SELECT 1 FROM journal AS other WHERE other.run_id = one.run_id AND other.step = 'pay' AND other.seq > one.seq)`,
    );
    return rows.map((row) => `${String(row["run_id"])}/pay/1`).filter((key) => !bank.charges.has(key));
  } finally {
    await reader.close();
  }
}
