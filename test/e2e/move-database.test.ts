/** A whole Homeostat moves from SQLite to PostgreSQL and back, with a run that waits for a person all the way. */
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSilentLogger } from "../../packages/server/src/base/log.ts";
import { homeAt } from "../../packages/server/src/home/home.ts";
import {
  moveDatabase,
  parseDatabase,
  reopenDatabase,
  tryMoveDatabase,
} from "../../packages/server/src/home/move-database.ts";
import type { DatabaseAddress } from "../../packages/server/src/home/move-database.ts";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import type { TestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { createHome, removeHome, runToEnd, startTestSystem, untilPublished } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

const work = `version: 1
name: work
steps:
  - { id: write, tool: file_ops.write, with: { path: note.txt, content: "${"long ".repeat(2_000)}" } }
  - { id: read, tool: file_ops.read, with: { path: note.txt } }
`;
const blobs = { url: undefined, accessKeyId: undefined, secretAccessKey: undefined, masterKey: undefined };
const waits = `version: 1
name: waits
steps:
  - { id: ask, approval: { message: Go on? } }
  - { id: done, set: { x: 1 } }
`;

/** A start writes entries of its own, which may come between. */
async function expectIntact(system: TestSystem): Promise<void> {
  const verify = () =>
    system.api.post<{ verdict: string; text: string; pending: number }>("/v1/ledger/verify", {});
  await expect.poll(verify, { timeout: 15_000 }).toMatchObject({ verdict: "intact", pending: 0 });
}

describe.skipIf(skipsPostgres())("a data folder whose database moves", () => {
  let server: TestPostgres;
  let home: string;
  beforeAll(async () => {
    server = await startTestPostgres();
    home = await createHome();
  });
  afterAll(async () => {
    await removeHome(home);
    await server.stop();
  });

  async function move(from: DatabaseAddress, to: DatabaseAddress): Promise<number> {
    const logger = createSilentLogger();
    return (await moveDatabase({ home: homeAt(home), blobs, from, to, logger, onProgress: () => undefined }))
      .rows;
  }

  test("goes on where it was on the other side, refuses to start on what was left, and comes back", async () => {
    const url = await server.schema("moved");
    const [file, postgres] = [parseDatabase("sqlite:", home), parseDatabase(url, home)];
    const first = await startTestSystem(home);
    await Promise.all([1, 2, 3].map(() => runToEnd(first, { workflow: work })));
    const waiting = await first.api.post<{ id: string }>("/v1/tasks", { workflow: waits });
    await untilPublished(first);
    await expect(move(file, postgres)).rejects.toMatchObject({ code: "STORE_IN_USE" });
    expect((await tryMoveDatabase({ from: file, to: postgres })).obstacles).not.toEqual([]);
    await first.stop();

    const plan = await tryMoveDatabase({ from: file, to: postgres });
    expect(plan.obstacles).toEqual([]);
    // The lease of the move itself comes on top of what was counted.
    expect(await move(file, postgres)).toBe(plan.rows + 1);
    await expect(startTestSystem(home)).rejects.toMatchObject({ code: "STORE_MOVED" });

    const second = await startTestSystem(home, { HOMEOSTAT_DATABASE_URL: url });
    await expectIntact(second);
    const { data } = await second.api.get<{ data: { id: string; runId: string }[] }>("/v1/approvals");
    expect(data.map(({ runId }) => runId)).toEqual([waiting.id]);
    await second.api.post(`/v1/approvals/${data[0]!.id}/decision`, { answer: "approve" });
    expect((await runToEnd(second, { workflow: work })).state).toBe("COMPLETED");
    await expectIntact(second);
    const runs = await second.api.get<{ data: { state: string }[] }>("/v1/runs");
    expect(runs.data.map(({ state }) => state)).toEqual(Array(5).fill("COMPLETED"));
    await second.stop();
    await expect(reopenDatabase(homeAt(home), file, createSilentLogger())).rejects.toMatchObject({
      code: "STORE_MOVED",
      message: expect.stringContaining("was used since the move") as string,
    });

    await expect(move(postgres, file)).rejects.toMatchObject({ code: "STORE_TARGET_NOT_EMPTY" });
    await rename(homeAt(home).stateDatabase, `${homeAt(home).stateDatabase}.left`);
    await move(postgres, file);
    const third = await startTestSystem(home);
    await expectIntact(third);
    expect((await third.api.get<{ data: unknown[] }>("/v1/runs")).data).toHaveLength(5);
    await third.stop();
  });

  test("to another SQLite file leaves one file, which goes into the place of the old one", async () => {
    const [other, place] = [await createHome(), await createHome()];
    const system = await startTestSystem(other);
    await Promise.all([1, 2, 3].map(() => runToEnd(system, { workflow: work })));
    await untilPublished(system);
    await system.stop();
    const path = join(place, "moved.db");
    const options = { home: homeAt(other), blobs, logger: createSilentLogger(), onProgress: () => undefined };
    await moveDatabase({ ...options, from: parseDatabase("sqlite:", other), to: { kind: "sqlite", path } });
    expect(await readdir(place)).toEqual(["moved.db"]);
    await rename(path, homeAt(other).stateDatabase);
    const again = await startTestSystem(other);
    await expectIntact(again);
    await again.stop();
    await removeHome(other);
    await removeHome(place);
  });

  test("takes the left database back while the other one is unused", async () => {
    const other = await createHome();
    const system = await startTestSystem(other);
    await runToEnd(system, { workflow: work });
    await untilPublished(system);
    await system.stop();
    const [file, postgres] = [
      parseDatabase("sqlite:", other),
      parseDatabase(await server.schema("unused"), other),
    ];
    const options = { home: homeAt(other), blobs, logger: createSilentLogger(), onProgress: () => undefined };
    await moveDatabase({ ...options, from: file, to: postgres });
    await reopenDatabase(homeAt(other), file, createSilentLogger());
    const again = await startTestSystem(other);
    await expectIntact(again);
    await again.stop();
    await removeHome(other);
  });
});
