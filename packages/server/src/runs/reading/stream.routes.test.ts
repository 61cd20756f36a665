import { afterEach, expect, test } from "vitest";
import type { SseEvent } from "../../http/sse.ts";
import type { Store } from "../../store/store.ts";
import { createApprovalWatch } from "./approval-watch.ts";
import { createRunChanges } from "./run-changes.ts";
import { streamRoutes } from "./stream.routes.ts";
import { callRoute } from "../testing-routes.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(): Promise<World> {
  const world = await createWorld({ tools: [] });
  worlds.push(world);
  return world;
}

const asking = 'version: 1\nname: w\nsteps: [{ id: sure, approval: { message: "Go on?" } }]\n';

/** So many questions, decided already, younger than all that are there. */
async function addDecided({ store }: World, count: number): Promise<void> {
  const [row] = await store.read("SELECT * FROM approvals LIMIT 1");
  const columns = Object.keys(row!);
  const rows = Array.from({ length: count }, (_, n) => {
    const more = { ...row!, id: `ap_${n}`, status: "approved", requested_at_ms: Date.now() + 1_000 + n };
    return {
      sql: `INSERT INTO approvals (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
      params: Object.values(more),
    };
  });
  await store.write(rows);
}

test("the decision of a question is told also when hundreds of younger ones came after it", async () => {
  const world = await start();
  await world.submit(asking);
  await world.startWorker("one");
  const { id } = await world.waitingApproval(
    (await world.store.read("SELECT id FROM runs"))[0]!["id"] as string,
  );
  const watch = createApprovalWatch(world.store, "default");
  expect((await watch.look()).map((each) => each.id)).toEqual([id]);
  await addDecided(world, 300);
  expect(await watch.look()).toHaveLength(200);
  expect(await watch.look()).toEqual([]);
  await world.answer(id, "approve");
  expect(await watch.look()).toMatchObject([{ id, status: "approved" }]);
  expect(await watch.look()).toEqual([]);
  const late = createApprovalWatch(world.store, "blue");
  expect(await late.look()).toEqual([]);
});

test("a page of one run costs nothing for what happens in others", async () => {
  const world = await start();
  const runId = await world.submit(asking);
  await world.startWorker("one");
  await world.until(runId, "WAITING");
  let reads = 0;
  const store: Store = {
    ...world.store,
    read: (sql, params) => {
      // The page's own; one reader for all of them looks at which runs changed.
      if (sql.includes("FROM journal WHERE run_id = ?")) reads += 1;
      return world.store.read(sql, params);
    },
  };
  const { readBlobText, live } = world;
  const routes = streamRoutes({ store, readBlobText, live, redact: (value) => value });
  const events: SseEvent[] = [];
  let endStream: () => void = () => undefined;
  const streamed = callRoute(routes, "runs.stream", {
    params: { id: runId },
    onEvent: (event, end) => {
      events.push(event);
      endStream = end;
    },
  });
  await expect.poll(() => events.at(-1)?.event).toBe("state");
  const before = reads;
  for (let other = 1; other <= 10; other += 1) await world.until(await world.submit(asking), "WAITING");
  expect(reads).toBe(before);
  await world.command(runId, "cancel");
  await expect.poll(() => events.at(-1)?.event).toBe("end");
  endStream();
  await streamed;
});

test("whoever follows all runs is told of one that another process drives until it waits for a person", async () => {
  const world = await start();
  const told: string[] = [];
  const stop = await createRunChanges({ store: world.store }).subscribe((row) =>
    told.push(`${row.state} ${row.waiting?.kind ?? ""}`),
  );
  await world.submit(asking);
  await world.startWorker("one");
  await expect.poll(() => told.at(-1)).toBe("WAITING approval");
  stop();
});
