/** The fence of a run: however two processes are interleaved, only the holder of the newest lease appends, on both databases. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { isHomeostatError } from "../../base/error.ts";
import { createSilentLogger } from "../../base/log.ts";
import { acquireLease } from "../../store/lease.ts";
import type { LeaseStore } from "../../store/lease.ts";
import { openPostgresStore } from "../../store/postgres/postgres.ts";
import { skipsPostgres, startTestPostgres } from "../../store/test-postgres.fixture.ts";
import type { TestPostgres } from "../../store/test-postgres.fixture.ts";
import { emptyHead, chainDigest, rowFromStore } from "../journal/journal.ts";
import { createSession } from "./session.ts";
import type { RunSession, SessionDeps } from "./session.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";
import { leaseName } from "../worker/adopt-orphans.ts";

type Step = { readonly process: 0 | 1; readonly does: "take" | "append"; readonly waits: boolean };

const schedule: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    process: fc.constantFrom(0 as const, 1 as const),
    does: fc.constantFrom("append" as const, "append" as const, "take" as const),
    // Not waited for: the next begins while this one is under way.
    waits: fc.boolean(),
  }),
  { minLength: 4, maxLength: 16 },
);

const workflow = "version: 1\nname: w\nsteps: [{ id: s, set: { x: 1 } }]\n";

function describeFence(open: () => Promise<World>): void {
  let world: World;
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world.close());

  function deps(): SessionDeps {
    const { store, submitDeps } = world;
    return { store, blobs: submitDeps.blobs, clock, announce: () => undefined };
  }

  /** As a process does that thinks the other is gone; undefined when that one was faster. */
  async function take(runId: string, owner: string): Promise<RunSession | undefined> {
    const { store } = world;
    const request = {
      name: leaseName(runId),
      owner,
      ttlMs: 30_000,
      now: clock.now(),
      isOwnerDead: () => true,
    };
    const lease = await acquireLease(store, request);
    if (lease === undefined) return undefined;
    const start = { tenant: "default", stepsTotal: 1, previousOwnerGone: true };
    const state = await world.state(runId);
    const interrupt = new AbortController().signal;
    return createSession(deps(), { ...start, state, interrupt, lease: store.holdLease(lease) });
  }

  test("never lets two sessions append, and loses nothing that was acknowledged", async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const runId = await world.submit(workflow);
        const sessions: (RunSession | undefined)[] = [await take(runId, "p0"), undefined];
        const acknowledged: string[] = [];
        let words = 0;
        const act = async ({ process, does }: Step): Promise<void> => {
          if (does === "take") {
            sessions[process] = (await take(runId, `p${process}`)) ?? sessions[process];
            return;
          }
          const session = sessions[process];
          if (session === undefined) return;
          const message = `${session.lease.epoch}: word ${(words += 1)}`;
          try {
            await session.append([{ kind: "run.steered", by: "eve", message }]);
            acknowledged.push(message);
          } catch (error) {
            if (!isHomeostatError(error, "LEASE_LOST")) throw error;
          }
        };
        const underWay: Promise<void>[] = [];
        for (const step of steps) {
          const acting = act(step);
          underWay.push(acting);
          if (step.waits) await acting;
        }
        await Promise.all(underWay);
        await expectSound(world.store, runId, acknowledged);
      }),
      { numRuns: 25 },
    );
  });

  test("a session that was fenced off stays so, and what cannot follow is refused before anything is written", async () => {
    const runId = await world.submit(workflow);
    const first = (await take(runId, "p0"))!;
    await first.append([{ kind: "run.started", attempt: 1 }]);
    const second = (await take(runId, "p1"))!;
    await second.append([{ kind: "run.steered", by: "eve", message: "mine" }]);
    for (let tries = 0; tries < 2; tries += 1) {
      const late = first.append([{ kind: "run.completed", outputs: {} }]);
      await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
    }
    const impossible = second.append([
      { kind: "run.steered", by: "eve", message: "not written either" },
      { kind: "step.caught", step: "s", output: null },
    ]);
    await expect(impossible).rejects.toMatchObject({
      code: "INTERNAL",
      data: { kind: "step.caught", step: "s" },
    });
    expect(await world.kinds(runId)).toEqual(["run.created", "run.started", "run.steered"]);
  });
}

/** The chain is whole, epochs never fall, the row says the same, and what was acknowledged is there, once. */
async function expectSound(store: LeaseStore, runId: string, acknowledged: readonly string[]): Promise<void> {
  const rows = (await store.read("SELECT * FROM journal WHERE run_id = ? ORDER BY seq", [runId])).map(
    rowFromStore,
  );
  let { digest } = emptyHead(runId);
  let epoch = 0;
  for (const [index, row] of rows.entries()) {
    expect(row.seq).toBe(index + 1);
    expect(row.epoch).toBeGreaterThanOrEqual(epoch);
    expect(row.digest).toBe(chainDigest(digest, row));
    ({ digest, epoch } = row);
  }
  const said = rows.slice(1).map((row) => (JSON.parse(row.body!) as { message: string }).message);
  expect([...said].sort()).toEqual([...acknowledged].sort());
  expect(said.map((word) => Number(word.split(":")[0]))).toEqual(rows.slice(1).map((row) => row.epoch));
  const [run] = await store.read("SELECT head_seq, head_digest FROM runs WHERE id = ?", [runId]);
  expect(run).toEqual({ head_seq: rows.length, head_digest: digest });
  const facts = await store.read("SELECT key FROM ledger_outbox WHERE key LIKE ?", [`run/${runId}/%`]);
  expect(facts).toHaveLength(rows.length);
}

describe("on SQLite", () => describeFence(() => createWorld({ tools: [] })));

describe.skipIf(skipsPostgres())("on PostgreSQL", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());
  describeFence(async () => {
    const url = await server.schema("fence");
    return await createWorld({
      tools: [],
      openStore: (migrations) => openPostgresStore({ url, migrations, clock, logger: createSilentLogger() }),
    });
  });
});
