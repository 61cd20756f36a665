/** For tests: the tables that an erasure touches, with runs in them, and blobs and workspaces in a folder. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { BlobStore } from "../blobs/blob.ts";
import { openFolderBlobs } from "../blobs/folder.ts";
import { migrations } from "../home/migrations.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { ErasureDeps } from "./erasure.ts";

export interface RunsUnderTest extends ErasureDeps {
  readonly store: LeaseStore;
  readonly blobs: BlobStore;
  readonly folder: string;
}

export async function openRuns(folder: string): Promise<RunsUnderTest> {
  const options = { clock: systemClock, logger: createSilentLogger() };
  const store = await openSqliteStore({ path: join(folder, "state.db"), migrations, ...options });
  for (const name of ["keys", "workspaces"]) await mkdir(join(folder, name), { recursive: true });
  const places = { folder: join(folder, "blobs"), keysFolder: join(folder, "keys") };
  const blobs = await openFolderBlobs({ ...places, store, clock: systemClock });
  const removeWorkspace = (runId: string): Promise<void> =>
    rm(join(folder, "workspaces", runId), { recursive: true, force: true });
  return { store, blobs, clock: systemClock, removeWorkspace, folder };
}

/** A run with one small body, one blob and a workspace. */
export async function addRun(
  { store, blobs, folder }: RunsUnderTest,
  run: {
    readonly id: string;
    readonly state: string;
    readonly endedAtMs: number | null;
    readonly parent?: string;
  },
): Promise<void> {
  const { id, state, endedAtMs, parent = null } = run;
  await store.write([
    {
      sql: `INSERT INTO runs (id, v, tenant, state, workflow_name, workflow_digest, priority, requester, labels, parent, attempts,
        max_attempts, head_seq, head_digest, steps_done, steps_total, artifact_count, created_at_ms, ended_at_ms, error)
        VALUES (?, 1, 'default', ?, 'w', 'd', 1, 'admin', '[]', ?, 1, 3, 1, ?, 0, 0, 0, 0, ?, '{"message":"private"}')`,
      params: [id, state, parent, "a".repeat(64), endedAtMs],
    },
    {
      sql: `INSERT INTO journal (run_id, seq, v, kind, at_ms, tenant, actor_kind, actor_id, labels, epoch, salt, body, body_digest,
        digest) VALUES (?, 1, 1, 'run.created', 0, 'default', 'user', 'admin', '[]', 0, 'salt', 'private', 'b', ?)`,
      params: [id, "a".repeat(64)],
    },
  ]);
  await blobs.put(id, Buffer.from("private"));
  await mkdir(join(folder, "workspaces", id));
  await writeFile(join(folder, "workspaces", id, "file.txt"), "private");
}
