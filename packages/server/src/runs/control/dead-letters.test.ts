import { afterEach, describe, expect, test } from "vitest";
import { HomeostatError } from "../../base/error.ts";
import { listDeadLetters } from "./dead-letters.ts";
import { deadLettersRoutes } from "./dead-letters.routes.ts";
import { submitTask } from "../submission/submit.ts";
import { callRoute } from "../testing-routes.ts";
import { createWorld } from "../testing-world.ts";
import type { World } from "../testing-world.ts";

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const workflow = (name: string): string =>
  `version: 1\nname: ${name}\nsteps:\n  - { id: only, tool: test.act, with: {} }\n`;

const task = {
  files: [],
  inputs: {},
  priority: "normal",
  labels: [],
  requester: "ann",
  tenant: "default",
} as const;

interface Morgue {
  readonly world: World;
  /** Ids of four dead letters, oldest first: a, b, a, b by workflow. */
  readonly ids: readonly string[];
  readonly heal: () => void;
  call(operationId: string, input?: Parameters<typeof callRoute>[2]): Promise<unknown>;
}

async function open(): Promise<Morgue> {
  let isIll = true;
  const act = () =>
    isIll
      ? Promise.reject(new HomeostatError("ACTION_FAILED", "the other side is away", { transient: true }))
      : Promise.resolve("done");
  const world = await createWorld({ tools: [{ name: "test.act", effect: "pure", act }] });
  worlds.push(world);
  const ids: string[] = [];
  for (const name of ["a", "b", "a", "b"]) {
    const { id } = await submitTask(world.submitDeps, { ...task, workflow: workflow(name), maxAttempts: 1 });
    ids.push(id);
  }
  // The first dies of its tool, which the breaker would not let the others try as often.
  const stuck = ids.slice(1).map((id) => ({ sql: "UPDATE runs SET claims = 99 WHERE id = ?", params: [id] }));
  await world.store.write(stuck);
  await world.startWorker("one");
  for (const id of ids) await world.until(id, "DEAD");
  await world.store.write(
    ids.map((id, index) => ({
      sql: "UPDATE runs SET ended_at_ms = ? WHERE id = ?",
      params: [1_000 + index, id],
    })),
  );
  const deps = { ...world.submitDeps, readBlobText: world.readBlobText, redact: (value: unknown) => value };
  const routes = deadLettersRoutes(deps);
  return {
    world,
    ids,
    heal: () => void (isIll = false),
    call: (operationId, input) => callRoute(routes, operationId, input),
  };
}

describe("dead letters", () => {
  test(
    "are found by workflow, error and time, and counted by what they died of",
    { timeout: 60_000 },
    async () => {
      const { ids, call, world, heal } = await open();
      const [a1, b1, a2, b2] = ids;
      const idsOf = async (query: Record<string, string>): Promise<readonly string[]> => {
        const answer = (await call("deadLetters.list", { query })) as { data: { id: string }[] };
        return answer.data.map(({ id }) => id);
      };
      expect(await idsOf({})).toEqual([b2, a2, b1, a1]);
      expect(await idsOf({ workflow: "a" })).toEqual([a2, a1]);
      expect(await idsOf({ code: "ACTION_FAILED" })).toEqual([a1]);
      expect(await idsOf({ code: "RUN_STUCK" })).toHaveLength(3);
      expect(await idsOf({ code: "ACTION_FAIL" })).toEqual([]);
      const filter = { tenant: "default", workflow: null, sinceMs: null, untilMs: null };
      const byCode = (code: string) =>
        listDeadLetters(world.store, { ...filter, code }, { before: null, limit: 9 });
      expect(await byCode("ACTION_FAILED")).toHaveLength(1);
      // On SQLite as on PostgreSQL.
      expect(await byCode("action_failed")).toEqual([]);
      const diedAt = new Date((await world.row(b1!)).endedAtMs!).toISOString();
      expect(await idsOf({ since: diedAt })).toEqual([b2, a2, b1]);
      expect(await idsOf({ until: diedAt })).toEqual([a1]);
      const first = (await call("deadLetters.list", { query: { limit: "3" } })) as {
        nextCursor: string;
        groups: unknown;
      };
      expect(first.groups).toEqual(expect.arrayContaining([{ workflow: "b", code: "RUN_STUCK", count: 2 }]));
      expect(await idsOf({ limit: "3", cursor: first.nextCursor })).toEqual([a1]);

      const shown = (await call("deadLetters.get", { params: { id: a1! } })) as {
        history: { kind: string; error: { message: string } | null }[];
      };
      expect(shown.history.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(["run.started", "action.failed", "run.died"]),
      );
      expect(shown.history.at(-1)?.error?.message).toContain("the other side is away");

      // One of them is no dead letter any more when its turn comes.
      await world.command(b1!, "discard");
      await world.until(b1!, "CANCELLED");
      heal();
      const dry = await call("deadLetters.retry", { body: { all: true, workflow: "a", dryRun: true } });
      expect(dry).toMatchObject({ done: 2, failed: 0, results: [{ id: a1 }, { id: a2 }] });
      expect((await world.row(a1!)).state).toBe("DEAD");
      const mixed = await call("deadLetters.retry", { body: { ids: [a1, b1, "run_nowhere"] } });
      expect(mixed).toMatchObject({
        done: 1,
        failed: 2,
        results: [
          { id: a1, ok: true, error: null },
          { id: b1, ok: false, error: { code: "RUN_STATE_CONFLICT" } },
          { id: "run_nowhere", ok: false, error: { code: "RUN_NOT_FOUND" } },
        ],
      });
      await world.until(a1!, "COMPLETED");
      expect(await call("deadLetters.discard", { body: { all: true, limit: 1 } })).toMatchObject({
        results: [{ id: a2 }],
        hasMore: true,
      });
      expect(await call("deadLetters.discard", { body: { all: true } })).toMatchObject({ hasMore: false });
      await world.until(b2!, "CANCELLED");
      expect(await idsOf({})).toEqual([]);
      await expect(call("deadLetters.get", { params: { id: a1! } })).rejects.toMatchObject({
        code: "RUN_STATE_CONFLICT",
      });
      await expect(call("deadLetters.retry", { body: {} })).rejects.toMatchObject({
        code: "REQUEST_INVALID",
      });
    },
  );
});
