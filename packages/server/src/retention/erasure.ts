/** Erases an ended run: one batch destroys key and bodies and says so in the ledger; the files, which are noise by then, follow. */
import { commit } from "../base/digest.ts";
import type { Clock } from "../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { createSalt } from "../base/id.ts";
import type { Actor } from "../base/ledger-entry.ts";
import type { BlobStore } from "../blobs/blob.ts";
import { outboxInsert } from "../store/outbox.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";
import { erasedRows } from "./erased-rows.ts";
import { createTrial } from "./trial.ts";

export const erasuresMigration: Migration = {
  id: "0310-erasures",
  statements: () => [
    `CREATE TABLE erasures (
      run_id TEXT PRIMARY KEY,
      at_ms BIGINT NOT NULL,
      erased_by TEXT NOT NULL,
      reason TEXT,
      -- 1 once blobs and workspace are gone too; until then every pass tries again.
      files_gone INTEGER NOT NULL
    )`,
    "CREATE INDEX erasures_open ON erasures (run_id) WHERE files_gone = 0",
    "CREATE INDEX runs_ended ON runs (state, ended_at_ms)",
  ],
};

export interface ErasureDeps {
  readonly store: Pick<Store, "read" | "write">;
  readonly blobs: Pick<BlobStore, "erase">;
  readonly clock: Clock;
  /** Removes the run's folder on this host; nothing where there is none. */
  readonly removeWorkspace: (runId: string) => Promise<void>;
}

export interface Erasure {
  readonly runId: string;
  readonly atMs: number;
  readonly by: string;
  readonly reason: string | null;
}

export interface ErasureRequest {
  readonly runId: string;
  /** Undefined: of any tenant, for the server's own retention. */
  readonly tenant?: string;
  readonly actor: Actor;
  readonly reason: string | null;
}

/**
 * Durable when it resolves, though files may be left for the next pass when removing them fails. A run that is erased already
 * stays as it was. Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT (not ended, a dead letter, or a run that belongs to it goes on).
 */
export async function eraseRun(deps: ErasureDeps, request: ErasureRequest): Promise<Erasure> {
  const { runId, actor, reason } = request;
  const [row] = await deps.store.read("SELECT tenant, state, head_seq, head_digest FROM runs WHERE id = ?", [
    runId,
  ]);
  if (row === undefined || (request.tenant !== undefined && row["tenant"] !== request.tenant))
    throw new HomeostatError("RUN_NOT_FOUND", `There is no run ${runId}`, { run: runId });
  const known = await findErasure(deps.store, runId);
  if (known !== undefined) return known;
  const atMs = deps.clock.now();
  const erasure: Erasure = { runId, atMs, by: actor.id, reason };
  try {
    await deps.store.write([
      recordErasure(erasure, row),
      ...erasedRows(runId, atMs),
      outboxInsert(erasureKey(runId), {
        ...erasureEntry(erasure, actor),
        tenant: String(row["tenant"]),
        run: { id: runId, seq: Number(row["head_seq"]), digest: String(row["head_digest"]) },
      }),
    ]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    // Another was faster, or the run is not in a state to be erased.
    const other = await findErasure(deps.store, runId);
    if (other !== undefined) return other;
    throw await whyNot(deps.store, runId, error);
  }
  await removeFiles(deps, runId);
  return erasure;
}

/** What a crash, or a failing disk, left of erasures. Tries each, and then throws what the first failing removal threw. */
export async function finishErasures(deps: ErasureDeps): Promise<number> {
  const open = await deps.store.read(
    "SELECT run_id FROM erasures WHERE files_gone = 0 ORDER BY run_id LIMIT 1000",
  );
  const trial = createTrial();
  for (const row of open) await trial.of(() => removeFiles(deps, String(row["run_id"])));
  trial.end();
  return open.length;
}

export async function findErasure(store: Pick<Store, "read">, runId: string): Promise<Erasure | undefined> {
  const [row] = await store.read("SELECT * FROM erasures WHERE run_id = ?", [runId]);
  if (row === undefined) return undefined;
  const reason = row["reason"] as string | null;
  return { runId, atMs: Number(row["at_ms"]), by: String(row["erased_by"]), reason };
}

/** Under which key the ledger knows the erasure. */
export function erasureKey(runId: string): string {
  return `run-erased/${runId}`;
}

export const erasedType = "run.erased";

/** Blobs and workspace; their key is gone, so what a crash leaves of them is noise. */
async function removeFiles({ store, blobs, removeWorkspace }: ErasureDeps, runId: string): Promise<void> {
  await blobs.erase(runId);
  await removeWorkspace(runId);
  await store.write([{ sql: "UPDATE erasures SET files_gone = 1 WHERE run_id = ?", params: [runId] }]);
}

/** Undoes the batch unless the run has ended for good and nobody it started goes on: a child reads what its parent holds. */
function recordErasure({ runId, atMs, by, reason }: Erasure, row: Row): Statement {
  return {
    sql: `INSERT INTO erasures (run_id, at_ms, erased_by, reason, files_gone)
      SELECT id, CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), 0 FROM runs
      WHERE id = ? AND head_seq = ? AND state IN ('COMPLETED', 'FAILED', 'CANCELLED')
        AND NOT EXISTS (SELECT 1 FROM runs child WHERE child.parent = runs.id AND child.ended_at_ms IS NULL)`,
    params: [atMs, by, reason, runId, Number(row["head_seq"])],
    expect: { rows: 1, guard: "run-ended" },
  };
}

function erasureEntry({ runId, atMs, reason }: Erasure, actor: Actor) {
  const salt = createSalt();
  return {
    v: 1,
    key: erasureKey(runId),
    at: new Date(atMs).toISOString(),
    type: erasedType,
    actor,
    labels: [],
    salt,
    // What somebody wrote may name a person; the table holds it, the ledger a commitment.
    data: reason === null ? {} : { reason: commit(salt, reason) },
  } as const;
}

async function whyNot(store: Pick<Store, "read">, runId: string, cause: unknown): Promise<HomeostatError> {
  const [row] = await store.read("SELECT state FROM runs WHERE id = ?", [runId]);
  const state = String(row?.["state"]);
  const isOver = ["COMPLETED", "FAILED", "CANCELLED"].includes(state);
  const why = isOver ? "a run that it started is not over yet" : `it is ${state}`;
  const hint =
    state === "DEAD"
      ? "A dead letter may be tried again; give it up first with `homeostat discard RUN`."
      : "Only runs that are over can be erased; `homeostat cancel RUN` ends one.";
  const data = { run: runId, state };
  return new HomeostatError("RUN_STATE_CONFLICT", `Run ${runId} cannot be erased: ${why}`, data, {
    cause,
    hint,
  });
}
