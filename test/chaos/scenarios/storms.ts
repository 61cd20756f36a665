/** Many processes under load: every second one of them is killed and another started, as long as most of them live. */
import { setTimeout as sleep } from "node:timers/promises";
import { answerQuestions, submitPayments } from "../../cluster/payments.ts";
import type { Role } from "../../cluster/member-process.ts";
import type { Chaos, Scenario, ScenarioResult, Stage } from "../scenario.ts";

interface Storm {
  readonly members: readonly Role[];
  readonly runs: number;
}

/** Kills for as long as there is work, then lets it finish. */
async function storm(
  { cluster, bank, settle }: Stage,
  { members, runs }: Storm,
  { random, say }: Chaos,
): Promise<ScenarioResult> {
  await Promise.all(members.map((role) => cluster.start(role)));
  const submitting = submitPayments(cluster, bank, { runs, parallel: 12 });
  let kills = 0;
  let isOver = false;
  const killing = (async () => {
    const restarts: Promise<unknown>[] = [];
    while (!isOver) {
      await sleep(1_000);
      const living = cluster.living();
      const victim = living[Math.floor(random() * living.length)];
      // On a slow machine most would else be starting all the time, and nothing would be done that a kill could break.
      if (victim === undefined || living.length * 2 <= members.length || isOver) continue;
      await victim.kill();
      kills += 1;
      // The next kill does not wait for it: the second is kept however slow the start is. One that fails is told at the end.
      const restart = cluster.start(victim.role);
      restart.catch(() => undefined);
      restarts.push(restart);
      if (kills % 20 === 0) say(`${kills} kills, ${bank.charges.size} of ${runs} paid`);
    }
    await Promise.all(restarts);
  })();
  const payments = await submitting;
  while (bank.charges.size < runs * 0.98 && kills < runs) {
    // Somebody else may answer the same question: a kill made this one's call again.
    await answerQuestions(cluster, bank, payments).catch(() => undefined);
    await sleep(500);
  }
  isOver = true;
  await killing;
  const violations = await settle(payments, { deadlineMs: 600_000 });
  return { violations, figures: { kills, runs, questions: payments.outcomeQuestions } };
}

export const clusterStorm: Scenario = {
  name: "storm",
  about: "three gateways and five workers on PostgreSQL and Redis, one killed each second while most live",
  needs: ["postgres", "redis"],
  breaks: ["kills"],
  async run(chaos) {
    const stage = await chaos.open({ database: "postgres", redis: true, bankDelayMs: 5 });
    const members: readonly Role[] = [...Array<Role>(3).fill("gateway"), ...Array<Role>(5).fill("worker")];
    return await storm(stage, { members, runs: 150 * chaos.scale }, chaos);
  },
};

export const sqliteStorm: Scenario = {
  name: "storm-sqlite",
  about: "a gateway and two workers on SQLite, one killed each second while most live",
  needs: [],
  breaks: ["kills"],
  async run(chaos) {
    const stage = await chaos.open({ database: "sqlite", bankDelayMs: 5 });
    return await storm(stage, { members: ["gateway", "worker", "worker"], runs: 150 * chaos.scale }, chaos);
  },
};
