/** kill -9 at the boundaries themselves: just before and just after what a run writes becomes durable. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Member } from "../../cluster/member-process.ts";
import { submitPayments, untilAllEnded } from "../../cluster/payments.ts";
import type { Payments } from "../../cluster/payments.ts";
import { startCommitProxy } from "../commit-proxy.ts";
import type { Moment } from "../commit-proxy.ts";
import type { Chaos, Scenario, ScenarioResult, Stage } from "../scenario.ts";

/** From this scale on every boundary is walked, before and after. */
const scaleOfAll = 4;
/** Of the boundaries that are tried, a fifth and of a few two: a run that happens to need a commit less has none at the last. */
function mostMissed(tried: number): number {
  return Math.max(2, tried / 5);
}

interface Boundary {
  readonly skip: number;
  readonly when: Moment;
}

interface Walk {
  /** For members that can be killed at a boundary. */
  readonly environment: Readonly<Record<string, string>>;
  /** Boundaries passed so far. */
  count(): Promise<number>;
  aim(boundary: Boundary, member: Member): Promise<void>;
  clear(): Promise<void>;
  /** How many are tried at scale 1. */
  readonly sample: number;
}

export const boundaries: Scenario = {
  name: "boundaries",
  about: "kill -9 just before or after a sync of database, blob or ledger, another one each time",
  needs: ["compiler"],
  breaks: ["boundaries", "killedThere"],
  async run(chaos) {
    const injected = await chaos.faults();
    const stage = await chaos.open({ database: "sqlite", bankDelayMs: 5 });
    return await walk(chaos, stage, {
      environment: injected.environment,
      sample: 5,
      count: injected.syncs,
      aim: ({ skip, when }) => injected.killAtSync(skip, when),
      clear: injected.clear,
    });
  },
};

export const commitBoundaries: Scenario = {
  name: "commit-boundaries",
  about: "kill -9 just before a COMMIT reaches PostgreSQL, or when it is done and its answer is on the way",
  needs: ["postgres"],
  breaks: ["boundaries", "killedThere"],
  async run(chaos) {
    const stage = await chaos.open({ database: "postgres", bankDelayMs: 5 });
    const proxy = await startCommitProxy(stage.cluster.postgres!.socket);
    try {
      const url = stage.cluster.environment["HOMEOSTAT_DATABASE_URL"]!;
      return await walk(chaos, stage, {
        environment: { HOMEOSTAT_DATABASE_URL: proxy.through(url) },
        sample: 4,
        count: async () => proxy.commits(),
        aim: async ({ skip, when }, member) =>
          proxy.actAtCommit(skip, when, () => member.child.kill("SIGKILL")),
        clear: async () => proxy.clear(),
      });
    } finally {
      await Promise.all(stage.cluster.living().map((member) => member.kill()));
      await proxy.close();
    }
  },
};

async function walk(chaos: Chaos, { cluster, bank, settle }: Stage, steps: Walk): Promise<ScenarioResult> {
  const payments: Payments = { submitted: new Map(), outcomeQuestions: 0 };
  const pay = async (prefix: string): Promise<void> => {
    const { submitted } = await submitPayments(cluster, bank, { runs: 1, parallel: 1, prefix });
    for (const [key, id] of submitted) payments.submitted.set(key, id);
  };
  const whole = await cluster.start("all", steps.environment);
  const before = await steps.count();
  await pay("whole");
  await untilAllEnded(cluster, bank, { payments, deadlineMs: 60_000 });
  const boundariesThere = (await steps.count()) - before;
  await whole.kill();
  const chosen = choose(boundariesThere, steps.sample, chaos);
  let kills = 0;
  for (const [round, boundary] of chosen.entries()) {
    const member = await cluster.start("all", steps.environment);
    await steps.aim(boundary, member);
    // The submission goes on at the next member when this one dies of it.
    const submitting = pay(`boundary-${round}`);
    await Promise.race([waitForEnd(member.isAlive), sleep(2_500)]);
    // Where the boundary did not come in time, this is a kill at any moment.
    if (!member.isAlive()) kills += 1;
    await member.kill();
    await steps.clear();
    // Each boundary is that of one run alone: what others had left open would be counted too.
    const next = await cluster.start("all");
    await submitting;
    await untilAllEnded(cluster, bank, { payments, deadlineMs: 120_000 });
    await next.kill();
    if (round % 10 === 9) chaos.say(`${round + 1} of ${chosen.length} boundaries`);
  }
  await cluster.start("all");
  const violations = [...(await settle(payments))];
  if (chosen.length - kills > mostMissed(chosen.length))
    violations.push(`only ${kills} of ${chosen.length} kills fell on their boundary`);
  const { outcomeQuestions: questions } = payments;
  const figures = { boundaries: 2 * boundariesThere, tried: chosen.length, killedThere: kills };
  return { violations, figures: { ...figures, runs: payments.submitted.size, questions } };
}

/** Every boundary on both of its sides, in random order; of them a sample below `scaleOfAll`. */
function choose(
  count: number,
  sample: number,
  { scale, random }: Pick<Chaos, "scale" | "random">,
): readonly Boundary[] {
  const all = Array.from({ length: count }, (_, skip) =>
    (["before", "after"] as const).map((when) => ({ skip, when, order: random() })),
  ).flat();
  const mixed = all.toSorted((a, b) => a.order - b.order);
  return scale >= scaleOfAll ? mixed : mixed.slice(0, sample * scale);
}

async function waitForEnd(isAlive: () => boolean): Promise<void> {
  while (isAlive()) await sleep(10);
}
