/** A worker that stands still beyond its lease and wakes up believing that it still has it. */
import { setTimeout as sleep } from "node:timers/promises";
import { submitPayments } from "../../cluster/payments.ts";
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
