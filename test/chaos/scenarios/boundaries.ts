/** kill -9 at the syncs themselves: just before and just after what a run writes becomes durable. */
import { setTimeout as sleep } from "node:timers/promises";
import { submitPayments } from "../../cluster/payments.ts";
import type { Payments } from "../../cluster/payments.ts";
import type { Scenario } from "../scenario.ts";

/** A payment takes about so many syncs of database, blobs, workspace and ledger; later numbers fall into the next one. */
const syncsOfAPayment = 60;

export const boundaries: Scenario = {
  name: "boundaries",
  about: "kill -9 just before or after a sync of database, blob or ledger, another one each time",
  needs: ["compiler"],
  async run({ open, faults, random, scale, say }) {
    const injected = await faults();
    const { cluster, bank, settle } = await open({ database: "sqlite", bankDelayMs: 5 });
    const payments: Payments = { submitted: new Map(), outcomeQuestions: 0 };
    const rounds = 12 * scale;
    let kills = 0;
    for (let round = 0; round < rounds; round += 1) {
      await injected.clear();
      const member = await cluster.start("all", injected.environment);
      const skip = scale === 1 ? Math.floor(random() * syncsOfAPayment) : round % syncsOfAPayment;
      await injected.killAtSync(skip, random() < 0.5 ? "before" : "after");
      // The submission goes on at the next member when this one dies of it.
      const submitting = submitPayments(cluster, bank, { runs: 1, parallel: 1, prefix: `boundary-${round}` });
      await Promise.race([waitForEnd(member.isAlive), sleep(2_500)]);
      if (member.isAlive()) await member.kill();
      kills += 1;
      await injected.clear();
      const next = await cluster.start("all", injected.environment);
      for (const [key, id] of (await submitting).submitted) payments.submitted.set(key, id);
      await next.kill();
      if (round % 10 === 9) say(`${round + 1} boundaries`);
    }
    await cluster.start("all");
    const violations = await settle(payments);
    return {
      violations,
      figures: { kills, runs: payments.submitted.size, questions: payments.outcomeQuestions },
    };
  },
};

async function waitForEnd(isAlive: () => boolean): Promise<void> {
  while (isAlive()) await sleep(10);
}
