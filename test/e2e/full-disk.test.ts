/** A real server on a disk that is full for a while: it says that it is not ready, goes on by itself, and the same process lives. */
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { skipsPostgres, startTestPostgres } from "../../packages/server/src/store/test-postgres.fixture.ts";
import { createFaults, skipsFaults } from "../chaos/fault-shim.ts";
import type { Faults } from "../chaos/fault-shim.ts";
import { createApi, freePort, startServer } from "../chaos/server-process.ts";
import type { ServerProcess } from "../chaos/server-process.ts";
import { createHome, removeHome, startTestSystem, token, verifyOffline } from "./test-system.ts";

let home: string;
let faults: Faults | undefined;
let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.kill();
  await faults?.close();
  await removeHome(home);
});

const workflow = "version: 1\nname: w\nsteps: [{ id: a, set: { x: 1 } }]\n";

test.skipIf(skipsFaults())(
  "readiness ends with the first write that fails and comes back with the disk, without a restart",
  async () => {
    home = await createHome();
    faults = await createFaults(home);
    const port = await freePort();
    server = startServer({ home, port, token, environment: faults.environment });
    await server.ready;
    const api = createApi({ port, token });
    const ready = async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      const { checks } = (await answer.json()) as { checks: { name: string; kind: string }[] };
      return `${answer.status} store ${checks.find(({ name }) => name === "store")?.kind}`;
    };
    for (const round of [1, 2]) {
      expect(await ready()).toBe("200 store ok");
      await faults.fillDisk(true);
      if (round === 1) await expect(api.post("/v1/tasks", { workflow })).rejects.toThrow("503");
      // In the second round nobody asks for anything: the process's own heartbeat meets it.
      await expect.poll(ready, { timeout: 15_000 }).toBe("503 store failed");
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
      // Longer than any part is left in a failed state before it counts as broken down.
      if (round === 2) await new Promise((resolve) => setTimeout(resolve, 12_000));
      await faults.fillDisk(false);
      await expect.poll(ready, { timeout: 5_000 }).toBe("200 store ok");
    }
    const { id } = await api.post<{ id: string }>("/v1/tasks", { workflow });
    await expect
      .poll(async () => (await api.get<{ state: string }>(`/v1/runs/${id}`)).state)
      .toBe("COMPLETED");
    const { tree } = await api.get<{ tree: { children: { name: string; restarts: number }[] } }>(
      "/v1/status",
    );
    expect(tree.children.map(({ restarts }) => restarts)).toEqual(tree.children.map(() => 0));
    expect(server.child.exitCode).toBeNull();
    await server.stop();
    expect((await verifyOffline(home)).verdict).toBe("intact");
  },
);

test.skipIf(skipsPostgres())(
  "a server whose database is elsewhere is not ready while its own disk takes nothing",
  async () => {
    home = await createHome();
    const postgres = await startTestPostgres();
    const url = await postgres.schema("elsewhere");
    const system = await startTestSystem(home, { HOMEOSTAT_DATABASE_URL: url });
    const ready = async (): Promise<string> => {
      const answer = await fetch(`${system.url}/readyz`);
      const { checks } = (await answer.json()) as { checks: { name: string; kind: string }[] };
      const kindOf = (part: string): unknown => checks.find(({ name }) => name === part)?.kind;
      return `${answer.status} store ${kindOf("store")}, disk ${kindOf("disk")}`;
    };
    try {
      await expect.poll(ready).toMatch(/^200 store ok, disk (ok|degraded)$/);
      // A device that answers every write as a full disk does.
      await rm(join(home, ".write-probe"));
      await symlink("/dev/full", join(home, ".write-probe"));
      await expect.poll(ready, { timeout: 10_000 }).toBe("503 store ok, disk failed");
      await rm(join(home, ".write-probe"));
      await expect.poll(ready, { timeout: 10_000 }).toMatch(/^200 store ok/);
    } finally {
      await system.stop();
      await postgres.stop();
    }
  },
  60_000,
);
