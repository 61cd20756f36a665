import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock as clock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import { createWorld } from "../testing-world.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

test("a cancel that is read late does not break off the undoing that it has begun itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-late-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const lateRead = Promise.withResolvers<void>();
  const isRead = Promise.withResolvers<void>();
  const acts: string[] = [];
  const go = { b: Promise.withResolvers<void>(), undo: Promise.withResolvers<void>() };
  const world = await createWorld({
    openStore: async (migrations) => {
      const logger = createSilentLogger();
      const store = await openSqliteStore({ path: join(folder, "state.db"), clock, logger, migrations });
      const read: typeof store.read = async (sql, params) => {
        const rows = await store.read(sql, params);
        // As on a connection of its own, that was slow in telling.
        if (sql.includes("FROM inbox WHERE folded_seq IS NULL AND substr(body") && rows.length > 0) {
          isRead.resolve();
          await lateRead.promise;
        }
        return rows;
      };
      return { ...store, read };
    },
    tools: [
      {
        name: "test.do",
        effect: "idempotent",
        act: async ({ name }, { signal }) => {
          acts.push(String(name));
          if (name === "b") await go.b.promise;
          if (name === "undo") await go.undo.promise;
          signal.throwIfAborted();
          return "done";
        },
      },
    ],
  });
  closers.push(() => world.close());
  const runId = await world.submit(`version: 1
name: w
steps:
  - { id: a, tool: test.do, with: { name: a }, compensate: [{ id: undo, tool: test.do, with: { name: undo } }] }
  - { id: b, tool: test.do, with: { name: b } }
  - { id: c, tool: test.do, with: { name: c } }
`);
  await world.startWorker("one");
  await expect.poll(() => acts).toEqual(["a", "b"]);
  await world.command(runId, "cancel");
  await isRead.promise;
  go.b.resolve();
  await expect.poll(() => acts.at(-1), { timeout: 10_000 }).toBe("undo");
  lateRead.resolve();
  // The late answer is worked on before the undoing goes on.
  await clock.sleep(20);
  go.undo.resolve();
  await world.until(runId, "CANCELLED");
  const undo = (await world.state(runId)).steps.get("a/compensate/undo");
  expect(undo).toMatchObject({ status: "completed", attempt: 1 });
  expect(acts.filter((name) => name === "undo")).toEqual(["undo"]);
});
