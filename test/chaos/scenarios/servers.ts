/** PostgreSQL and Redis that crash, forget, freeze and cut their connections under a working cluster. */
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { submitPayments } from "../../cluster/payments.ts";
import type { Scenario, Stage } from "../scenario.ts";

async function startCluster({ cluster }: Stage): Promise<void> {
  const roles = ["gateway", "gateway", "worker", "worker", "worker"] as const;
  await Promise.all(roles.map((role) => cluster.start(role)));
}

export const postgresRestarts: Scenario = {
  name: "postgres-restarts",
  about: "PostgreSQL crashes and comes back while runs are driven",
  needs: ["postgres", "redis"],
  breaks: ["crashes"],
  async run({ open, random, scale }) {
    const stage = await open({ database: "postgres", redis: true });
    await startCluster(stage);
    const { cluster, bank, settle } = stage;
    const runs = 60 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 6 });
    for (let round = 0; round < 2 * scale; round += 1) {
      await sleep(400 + random() * 800);
      await cluster.postgres!.crash();
      await sleep(200 + random() * 800);
      await cluster.postgres!.restart();
    }
    const payments = await submitting;
    const violations = await settle(payments, { deadlineMs: 240_000 });
    return { violations, figures: { crashes: 2 * scale, runs, questions: payments.outcomeQuestions } };
  },
};

export const postgresCuts: Scenario = {
  name: "postgres-cuts",
  about: "connections to PostgreSQL are cut in the middle of transactions, many times a second",
  needs: ["postgres", "redis"],
  breaks: ["cuts"],
  async run({ open, random, scale }) {
    const stage = await open({ database: "postgres", redis: true });
    await startCluster(stage);
    const { cluster, bank, settle } = stage;
    const runs = 60 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 6 });
    let cuts = 0;
    for (let round = 0; round < 12 * scale; round += 1) {
      await sleep(100 + random() * 300);
      const rows = await cluster.postgres!.run(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE 'homeostat%' AND pid <> pg_backend_pid() AND random() < 0.5`,
      );
      cuts += rows.length;
    }
    const payments = await submitting;
    const violations = await settle(payments, { deadlineMs: 240_000 });
    return { violations, figures: { cuts, runs, questions: payments.outcomeQuestions } };
  },
};

export const redisLoss: Scenario = {
  name: "redis-loss",
  about: "Redis forgets everything, freezes, crashes and comes back empty",
  needs: ["postgres", "redis"],
  breaks: ["rounds"],
  async run({ open, random, scale }) {
    const stage = await open({ database: "postgres", redis: true });
    await startCluster(stage);
    const { cluster, bank, settle } = stage;
    const redis = cluster.redis!;
    const runs = 60 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 6 });
    for (let round = 0; round < 2 * scale; round += 1) {
      await sleep(200 + random() * 400);
      await redis.run("FLUSHALL");
      await sleep(200 + random() * 400);
      redis.freeze();
      await sleep(500 + random() * 1_000);
      redis.thaw();
      await sleep(200 + random() * 400);
      await redis.crash();
      await sleep(500 + random() * 1_000);
      await redis.restart();
    }
    const payments = await submitting;
    return { violations: await settle(payments), figures: { rounds: 2 * scale, runs } };
  },
};

export const duplicateWakeups: Scenario = {
  name: "duplicate-wake-ups",
  about: "every run is announced many times over, also long after it has ended",
  needs: ["postgres", "redis"],
  breaks: ["wakeups"],
  async run({ open, scale }) {
    const stage = await open({ database: "postgres", redis: true });
    await startCluster(stage);
    const { cluster, bank, settle } = stage;
    const payments = await submitPayments(cluster, bank, { runs: 40 * scale, parallel: 6 });
    const { hostname: host, port } = new URL(cluster.redis!.url);
    const names = await queueNames(cluster.redis!.run.bind(cluster.redis));
    let sent = 0;
    for (const name of names) {
      const queue = new Queue(name, { connection: { host, port: Number(port) } });
      const runs = [...payments.submitted.values()];
      for (let copy = 0; copy < 10; copy += 1) {
        await queue.addBulk(
          runs.map((runId) => ({
            name: "wake",
            data: { runId },
            opts: { attempts: 1, removeOnComplete: true },
          })),
        );
        sent += runs.length;
      }
      await queue.close();
    }
    return { violations: await settle(payments), figures: { runs: payments.submitted.size, wakeups: sent } };
  },
};

/** Of the queues that exist, from BullMQ's own keys: `bull:NAME:meta`. */
async function queueNames(run: (command: string) => Promise<string>): Promise<readonly string[]> {
  const answer = await run("KEYS *:meta");
  return [...answer.matchAll(/^[^:\r\n]+:([^:\r\n]+):meta/gm)].map(([, name = ""]) => name);
}
