import { afterEach, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createClaims } from "../../queue/claim.ts";
import type { TakenRun } from "../../queue/claim.ts";
import { delayRun } from "../../queue/run-row.ts";
import { reserveLease } from "../../store/lease.ts";
import type { Statement } from "../../store/store.ts";
import { adoptOrphans } from "./adopt-orphans.ts";
import type { OrphanDeps } from "./adopt-orphans.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const workflow = "version: 1\nname: w\nsteps: [{ id: a, set: { x: 1 } }]\n";

/** Two runs in the hands of `other`. */
async function start(): Promise<{ world: World; taken: readonly TakenRun[] }> {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  for (let run = 1; run <= 2; run += 1) await world.submit(workflow);
  const taken = await createClaims(world.store, { owner: "other", leaseTtlMs: 30_000 }).take(2, clock.now());
  expect(taken).toHaveLength(2);
  return { world, taken };
}

/** Judges all leases of others to be over, after what `meanwhile` does between the reading and the judgement. */
function depsOf({ store }: World, meanwhile: () => Promise<void>): OrphanDeps {
  return {
    store,
    clock,
    owner: "mine",
    isOwnerDead: () => false,
    isHeldHere: () => false,
    random: () => 0.5,
    overlong: {
      async judge(leases) {
        await meanwhile();
        return new Set(leases.map(({ name }) => name));
      },
    },
  };
}

async function ended({ store }: World): Promise<readonly unknown[]> {
  const rows = await store.read("SELECT name FROM leases WHERE until_ms = 0");
  return rows.map((row) => row["name"]);
}

test("a holder that comes back and gets on while it is judged keeps its run, and others lose theirs", async () => {
  for (const comesBack of [
    ({ row }: TakenRun): Statement => ({
      sql: "UPDATE runs SET head_seq = head_seq + 1 WHERE id = ?",
      params: [row.id],
    }),
    ({ lease }: TakenRun) => reserveLease(lease, lease.untilMs + 1),
  ]) {
    const { world, taken } = await start();
    const [back, gone] = taken as readonly [TakenRun, TakenRun];
    await adoptOrphans(
      depsOf(world, async () => {
        await world.store.write([comesBack(back)]);
      }),
    );
    expect(await ended(world)).toEqual([gone.lease.name]);
  }
});

test("who lets go while it is judged is not ended again", async () => {
  const { world, taken } = await start();
  await adoptOrphans(
    depsOf(world, async () => {
      for (const { lease } of taken)
        await world.store.write([
          { sql: "UPDATE leases SET owner = '', until_ms = 5 WHERE name = ?", params: [lease.name] },
        ]);
    }),
  );
  expect(await ended(world)).toEqual([]);
});

test("what a clock that had jumped ahead took away is due when it is back", async () => {
  const { world, taken } = await start();
  const dayMs = 86_400_000;
  const untilMs = clock.now() + 2 * dayMs;
  await world.store.write(
    taken.flatMap(({ lease, row }) => [reserveLease(lease, untilMs), delayRun(row.id, untilMs)]),
  );
  const ahead = { ...clock, now: () => clock.now() + dayMs };
  await adoptOrphans({ ...depsOf(world, async () => undefined), clock: ahead });
  const again = await createClaims(world.store, { owner: "mine", leaseTtlMs: 30_000 }).take(2, clock.now());
  expect(again.map(({ row }) => row.id).toSorted()).toEqual(taken.map(({ row }) => row.id).toSorted());
});

test("runs whose process died with them again and again come back at different times", async () => {
  const { world } = await start();
  await world.store.write([{ sql: "UPDATE runs SET claims = 5" }]);
  const numbers = [0, 1];
  await adoptOrphans({ ...depsOf(world, async () => undefined), random: () => numbers.shift()! });
  const rows = await world.store.read("SELECT wake_at_ms FROM runs ORDER BY wake_at_ms");
  const [first = 0, second = 0] = rows.map((row) => Number(row["wake_at_ms"]));
  expect(second - first).toBeGreaterThan(3_000);
});
