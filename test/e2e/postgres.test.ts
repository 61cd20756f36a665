/** Runs with approvals on PostgreSQL instead of SQLite, by two workers, over a crash of the database. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { createSilentLogger } from "../../packages/server/src/base/log.ts";
import { migrations } from "../../packages/server/src/home/migrations.ts";
import { createWorld } from "../../packages/server/src/runs/testing-world.ts";
import type { TestTool, World } from "../../packages/server/src/runs/testing-world.ts";
import type { LeaseStore } from "../../packages/server/src/store/lease.ts";
import { openPostgresStore } from "../../packages/server/src/store/postgres/postgres.ts";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { requireWorkflow } from "../../packages/server/src/workflows/workflow-file.ts";
import type { TestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";

const workflow = `version: 1
name: w
steps:
  - id: each
    for_each: \${{ [1, 2] }}
    as: n
    steps: [{ id: count, tool: test.count, with: { n: "\${{ n }}" } }]
    collect: \${{ steps.count.output }}
  - { id: pause, wait: { for: 50ms } }
  - { id: last, tool: test.count, with: { n: 3 } }
outputs: { counted: "\${{ steps.each.output }}" }
`;

describe.skipIf(skipsPostgres())("the engine on PostgreSQL", () => {
  let server: TestPostgres;
  let world: World;
  const acts: string[] = [];
  beforeAll(async () => {
    server = await startTestPostgres();
    const url = await server.schema("engine");
    const count: TestTool = {
      name: "test.count",
      effect: "unsafe",
      act: ({ n }, { idempotencyKey }) => {
        acts.push(idempotencyKey);
        return Promise.resolve(n as number);
      },
    };
    world = await createWorld({
      tools: [count],
      decide: () => "ask",
      // A worker that could not free its lease while the database was away gets the run back after this time.
      leaseTtlMs: 1500,
      openStore: (): Promise<LeaseStore> =>
        // All tables of the server, so that every one of them is seen to be made.
        openPostgresStore({ url, migrations, clock: systemClock, logger: createSilentLogger() }),
    });
  });
  afterAll(async () => {
    await world.close();
    await server.stop();
  });

  test("drives branches, signals, registered child runs and undoing", async () => {
    await world.startWorker("branches");
    const text = "version: 1\nname: inner\noutputs: { got: 1 }\nsteps: [{ id: w, wait: { signal: go } }]\n";
    const { name, digest } = requireWorkflow(text);
    const added = { tenant: "default", name, digest, text, addedBy: "eve" };
    expect(await world.registry.add(added)).toMatchObject({ version: 1 });
    expect(await world.registry.list("default")).toMatchObject([{ name: "inner", version: 1 }]);
    const runId = await world.submit(`version: 1
name: outer
steps:
  - { id: a, set: { x: 1 }, compensate: [{ id: undo, set: { x: 0 } }] }
  - id: both
    parallel:
      ask: [{ id: q, approval: { message: Go? } }]
      run: [{ id: c, workflow: inner }]
  - { id: bad, set: { x: "\${{ fromJson(\\"broken\\") }}" } }
`);
    // One by the workflow itself, one by policy, which is asked before the child begins.
    for (let asked = 0; asked < 2; asked += 1) {
      const question = await world.waitingApproval(runId);
      await untilAnswered(() => world.answer(question.id, "approve"));
    }
    const childrenNow = () => world.store.read("SELECT id FROM runs WHERE parent = ?", [runId]);
    await expect.poll(childrenNow, { timeout: 10_000 }).toHaveLength(1);
    const [child] = await childrenNow();
    await world.signal(child!["id"] as string, "go");
    await world.until(runId, "FAILED");
    const { steps } = await world.state(runId);
    expect(steps.get("both/run/c")).toMatchObject({ status: "completed", output: { got: 1 } });
    expect(steps.get("a/compensate")?.status).toBe("completed");
    await world.registry.remove({ tenant: "default", name, by: "eve" });
    expect(await world.registry.add(added)).toMatchObject({ version: 2 });
  });

  test("runs many runs to their end, each act once and after its yes, over a crash of the database", async () => {
    await world.startWorker("one");
    await world.startWorker("two");
    const runs = await Promise.all(Array.from({ length: 6 }, () => world.submit(workflow)));
    const first = await world.waitingApproval(runs[0]!);
    await server.crash();
    await server.restart();
    await untilAnswered(() => world.answer(first.id, "approve"));
    await Promise.all(
      runs.map(async (runId, index) => {
        for (let asked = index === 0 ? 1 : 0; asked < 3; asked += 1) {
          const approval = await world.waitingApproval(runId);
          expect((await world.answer(approval.id, "approve")).status).toBe("approved");
          await expect(world.answer(approval.id, "approve")).rejects.toMatchObject({
            code: "APPROVAL_CONFLICT",
          });
        }
        await world.until(runId, "COMPLETED");
        expect((await world.state(runId)).outputs).toEqual({ counted: [1, 2] });
      }),
    );
    expect(acts).toHaveLength(runs.length * 3);
    expect(new Set(acts).size).toBe(acts.length);
    const rows = await world.store.read("SELECT seq FROM journal WHERE run_id = ? ORDER BY seq", [runs[1]!]);
    expect(rows.map((row) => row["seq"])).toEqual(rows.map((_, index) => index + 1));
  });

  /** The store is away for a moment after the crash. */
  async function untilAnswered(answer: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      const isDone = await answer().then(
        () => true,
        () => false,
      );
      if (isDone) return;
      await systemClock.sleep(50);
    }
    throw new Error("the store did not come back");
  }
});
