/** Runs are erased: their content is gone everywhere, what they were is still proved, and nobody can erase in silence. */
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createHome,
  removeHome,
  runToEnd,
  startTestSystem,
  token,
  untilPublished,
  verifyOffline,
} from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

const secretWord = "rhododendron";
const work = `version: 1
name: work
inputs: { word: { type: string } }
steps:
  - { id: write, tool: file_ops.write, with: { path: note.txt, content: "\${{ inputs.word }}" } }
  - { id: large, set: { text: "\${{ inputs.word }} ${"and so on ".repeat(600)}" } }
  - { id: keep, tool: artifact.register, with: { path: note.txt, title: "\${{ inputs.word }}" } }
`;
const waits = "version: 1\nname: waits\nsteps:\n  - { id: ask, approval: { message: Go on? } }\n";
const policy = 'version: 1\nrules:\n  - { name: all, action: "*", effect: allow }\n';

describe("erasing a run", () => {
  let home: string;
  let system: TestSystem;
  beforeAll(async () => {
    home = await createHome();
    await writeFile(join(home, "policy.yaml"), policy, { mode: 0o600 });
    system = await startTestSystem(home);
  });
  afterAll(async () => {
    await system.stop();
    await removeHome(home);
  });

  async function erase(id: string, query = ""): Promise<{ readonly status: number; readonly body: unknown }> {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${system.url}/v1/runs/${id}${query}`, { method: "DELETE", headers });
    return { status: answer.status, body: await answer.json() };
  }

  /** Wherever the word stands in a file of the data folder. */
  async function findWord(): Promise<readonly string[]> {
    // The log of the database holds old pages until it is written back.
    const database = new DatabaseSync(join(home, "state.db"));
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const found: string[] = [];
    for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && (await readFile(path)).includes(secretWord)) found.push(path);
    }
    return found;
  }

  test("removes its words from the data folder; verify counts what is erased and stays intact", async () => {
    const kept = await runToEnd(system, { workflow: work, inputs: { word: "other" } });
    const run = await runToEnd(system, { workflow: work, inputs: { word: secretWord } });
    expect(run.state).toBe("COMPLETED");
    await untilPublished(system);
    expect(await findWord()).not.toEqual([]);
    const artifacts = await system.api.get<{ data: { id: string }[] }>(`/v1/artifacts?run=${run.id}`);

    const erased = await erase(run.id, "?reason=asked%20by%20the%20customer");
    expect(erased).toMatchObject({
      status: 200,
      body: { id: run.id, by: "admin", reason: "asked by the customer" },
    });
    expect(await erase(run.id, "?reason=again")).toEqual(erased);
    await untilPublished(system);
    expect(await findWord()).toEqual([]);
    expect(existsSync(join(home, "workspaces", run.id))).toBe(false);
    expect(existsSync(join(home, "blobs", run.id))).toBe(false);

    const report = await verifyOffline(home);
    expect(report.findings).toEqual([]);
    expect(report.erased).toBeGreaterThan(5);
    expect(report.text).toContain(`erased ${report.erased}`);
    expect((await verifyOffline(home, kept.id)).erased).toBe(0);
    for (const path of [`/v1/runs/${run.id}`, `/v1/artifacts/${artifacts.data[0]!.id}/content`])
      await expect(system.api.get(path)).rejects.toThrow("410");
    const list = await system.api.get<{ data: { id: string }[] }>("/v1/runs");
    expect(list.data.map(({ id }) => id)).toContain(run.id);
  });

  test("is refused while it goes on, for a dead letter, and for a run nobody knows", async () => {
    const { id } = await system.api.post<{ id: string }>("/v1/tasks", { workflow: waits });
    expect(await erase(id)).toMatchObject({ status: 409, body: { code: "RUN_STATE_CONFLICT" } });
    expect(await erase("run_none")).toMatchObject({ status: 404, body: { code: "RUN_NOT_FOUND" } });
    await system.api.post(`/v1/runs/${id}/cancel`, {});
    await runUntil(id, "CANCELLED");
    expect((await erase(id)).status).toBe(200);
    const database = new DatabaseSync(join(home, "state.db"));
    const dead = await runToEnd(system, { workflow: work, inputs: { word: "dead" } });
    database.prepare("UPDATE runs SET state = 'DEAD' WHERE id = ?").run(dead.id);
    expect(await erase(dead.id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("DEAD") },
    });
    database.prepare("UPDATE runs SET state = 'COMPLETED' WHERE id = ?").run(dead.id);
    database.close();
  });

  async function runUntil(id: string, state: string): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await system.api.get<{ state: string }>(`/v1/runs/${id}`)).state === state) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the run did not become ${state}`);
  }

  test("bodies that somebody removed without a record are found", async () => {
    const run = await runToEnd(system, { workflow: work, inputs: { word: "quiet" } });
    await untilPublished(system);
    const database = new DatabaseSync(join(home, "state.db"));
    database.prepare("UPDATE journal SET body = NULL, salt = '' WHERE run_id = ? AND seq = 2").run(run.id);
    const report = await verifyOffline(home, run.id);
    expect(report.verdict).toBe("broken");
    expect(report.findings).toContainEqual(expect.objectContaining({ what: "event bodies missing" }));
    database.prepare("DELETE FROM journal WHERE run_id = ?").run(run.id);
    database.prepare("DELETE FROM runs WHERE id = ?").run(run.id);
    database.close();
  });
});
