/** A wall clock that jumps, a disk that is full for a while, and syncs that take their time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../cluster/cluster.ts";
import { submitPayments } from "../../cluster/payments.ts";
import type { Scenario } from "../scenario.ts";

const dayMs = 86_400_000;
const farMs = 60_000;

export const clockJumps: Scenario = {
  name: "clock-jumps",
  about:
    "the wall clock jumps a day ahead and a day back, and by up to half an hour, beyond every lease, while runs are driven",
  needs: ["compiler"],
  breaks: ["jumps", "eventsOfOtherTimes"],
  async run({ open, faults, random, scale }) {
    const injected = await faults();
    const { cluster, bank, settle } = await open({ database: "sqlite", environment: injected.environment });
    await Promise.all([cluster.start("gateway"), cluster.start("worker"), cluster.start("worker")]);
    const runs = 40 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 4 });
    let jumps = 0;
    let isOver = false;
    const first = random() < 0.5 ? dayMs : -dayMs;
    const jumping = (async () => {
      while (!isOver || jumps < 2) {
        const days = [first, -first][jumps % 8];
        await injected.setClockAhead(days ?? Math.floor((random() - 0.5) * 3_600) * 1000);
        jumps += 1;
        await sleep(300 + random() * 700);
      }
      await injected.setClockAhead(0);
    })();
    const payments = await submitting;
    await sleep(2_000 * scale);
    isOver = true;
    await jumping;
    // Who lost an unsafe action waits no longer than that may take, and a lease, whatever clock its deadline was set by.
    const violations = await settle(payments, { deadlineMs: 240_000 });
    return {
      violations,
      figures: { jumps, runs, eventsOfOtherTimes: await countEventsOfOtherTimes(cluster) },
    };
  },
};

/** That the clock of the members did jump. */
async function countEventsOfOtherTimes(cluster: Cluster): Promise<number> {
  const reader = await cluster.openReader();
  try {
    const [row] = await reader.read("SELECT COUNT(*) AS n FROM journal WHERE at_ms > ? OR at_ms < ?", [
      Date.now() + farMs,
      Date.now() - dayMs / 2,
    ]);
    return Number(row!["n"]);
  } finally {
    await reader.close();
  }
}

export const diskFull: Scenario = {
  name: "disk-full",
  about: "every write fails with ENOSPC for a while, again and again",
  needs: ["compiler"],
  breaks: ["refusedReady"],
  async run({ open, faults, random, scale, say }) {
    const injected = await faults();
    const { cluster, bank, settle } = await open({ database: "sqlite", environment: injected.environment });
    const member = await cluster.start("all");
    const runs = 30 * scale;
    const submitting = submitPayments(cluster, bank, { runs, parallel: 3 });
    let refusedReady = 0;
    let stillReady = 0;
    for (let round = 0; round < 3 * scale; round += 1) {
      await sleep(200 + random() * 400);
      await injected.fillDisk(true);
      await sleep(600 + random() * 900);
      // Where nothing happens to be written, the heartbeat of the process finds it within 5 s.
      if (await turnsUnready(member.url, 8_000)) refusedReady += 1;
      else stillReady += 1;
      await injected.fillDisk(false);
    }
    say(`not ready in ${refusedReady} of ${3 * scale} times of a full disk`);
    // A process that gave up on its disk is started again by whatever supervises it.
    if (!member.isAlive()) await cluster.start("all");
    const payments = await submitting;
    const violations = [...(await settle(payments))];
    if (stillReady > 0) violations.push(`ready ${stillReady} times on a full disk`);
    return {
      violations,
      figures: { runs, refusedReady, survived: Number(member.isAlive()) },
    };
  },
};

async function turnsUnready(url: string, withinMs: number): Promise<boolean> {
  for (const endMs = Date.now() + withinMs; Date.now() < endMs; await sleep(50)) {
    // A process that has given up is not ready either.
    const status = await fetch(`${url}/readyz`).then(
      (answer) => answer.status,
      () => 503,
    );
    if (status !== 200) return true;
  }
  return false;
}

export const slowSyncs: Scenario = {
  name: "slow-syncs",
  about: "every sync takes 50 ms longer, with two workers writing one database",
  needs: ["compiler"],
  breaks: ["syncs"],
  async run({ open, faults, scale }) {
    const injected = await faults();
    const { cluster, bank, settle } = await open({ database: "sqlite", environment: injected.environment });
    await Promise.all([cluster.start("gateway"), cluster.start("worker"), cluster.start("worker")]);
    await injected.slowSyncs(50);
    const runs = 20 * scale;
    const payments = await submitPayments(cluster, bank, { runs, parallel: 4 });
    return {
      violations: await settle(payments, { deadlineMs: 240_000 }),
      figures: { runs, syncs: await injected.syncs() },
    };
  },
};
