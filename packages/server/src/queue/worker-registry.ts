/** Which processes work on this database: what each offers, whether it lives, and which waiting runs nobody can take. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, isProgrammingError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Migration, Row, SqlValue, Statement, Store } from "../store/store.ts";
import type { Health, Part } from "../supervision/part.ts";

export const workersMigration: Migration = {
  id: "0320-workers",
  statements: () => [
    `CREATE TABLE workers (
      id TEXT PRIMARY KEY,
      role TEXT NOT NULL,
      host TEXT NOT NULL,
      pid BIGINT NOT NULL,
      version TEXT NOT NULL,
      url TEXT NOT NULL,
      state TEXT NOT NULL,
      -- JSON list of needs that it meets: language:python, root:assets.
      offers TEXT NOT NULL,
      isolation TEXT NOT NULL,
      concurrency INTEGER NOT NULL,
      active INTEGER NOT NULL,
      policy_revision TEXT NOT NULL,
      started_at_ms BIGINT NOT NULL,
      seen_at_ms BIGINT NOT NULL
    )`,
    // What a run needs of the worker that takes it; most runs need nothing and have no row.
    "CREATE TABLE run_needs (run_id TEXT NOT NULL, need TEXT NOT NULL, PRIMARY KEY (run_id, need))",
  ],
};

/** For example `language:python` or `root:assets`. */
export type Need = `language:${string}` | `root:${string}`;

/** What a process tells of itself. */
export interface WorkerFacts {
  /** `processIdentity`. */
  readonly id: string;
  readonly role: "all" | "gateway" | "worker";
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly url: string;
  readonly offers: readonly Need[];
  /** The strongest isolation of programs that it has. */
  readonly isolation: string;
  /** Runs at once; 0 for a gateway. */
  readonly concurrency: number;
  readonly active: number;
  readonly policyRevision: string;
  readonly startedAtMs: number;
}

/** `silent`: not heard of for a while, perhaps cut off; `gone`: provably ended, or silent for so long that nobody waits for it. */
export type WorkerState = "running" | "stopping" | "silent" | "gone";

export interface WorkerRow extends WorkerFacts {
  readonly state: WorkerState;
  readonly seenAtMs: number;
}

const heartbeatMs = 5_000;
/** Three heartbeats: one may be late behind a slow commit, two are no accident. */
const silentAfterMs = 3 * heartbeatMs;
const goneAfterMs = 10 * 60_000;
/** Rows of processes that ended are kept this long, so that what they offered is still known. */
const keptMs = 7 * 24 * 3_600_000;

export interface RegistryDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isOwnerDead: (owner: string) => boolean;
  /** Asked at each heartbeat. */
  readonly self: () => WorkerFacts;
}

export interface WorkerRegistry extends Part {
  /** All as of the last heartbeat, this process among them. */
  known(): readonly WorkerRow[];
}

/** Last to start and first to stop, so that others learn that this one takes no more runs. */
export function createWorkerRegistry(deps: RegistryDeps): WorkerRegistry {
  const { store, clock } = deps;
  const stopping = new AbortController();
  const failed = Promise.withResolvers<unknown>();
  let known: readonly WorkerRow[] = [];
  let running: Promise<void> = Promise.resolve();

  async function beat(state: "running" | "stopping"): Promise<void> {
    await store.write([writeWorker(deps.self(), state, clock.now())]);
    known = await listWorkers(store, { nowMs: clock.now(), isOwnerDead: deps.isOwnerDead });
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Rejects when it is stopped, which the loop's condition sees.
      await clock.sleep(heartbeatMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      await beat("running").catch((error: unknown) => {
        if (isProgrammingError(error)) failed.resolve(error);
        deps.logger.warn({ error: errorMessage(error) }, "no heartbeat could be written");
      });
    }
  }

  return {
    name: "workers",
    failed: failed.promise,
    known: () => known,
    async start() {
      await store.write([forgetWorkers(clock.now() - keptMs), forgetPassedOver]);
      await beat("running");
      running = run();
    },
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await running;
      // Where this cannot be written, the silence says it a little later.
      await store.write([writeWorker(deps.self(), "stopping", clock.now())]).catch(() => {});
    },
    health: (): Health => {
      const { policyRevision, id } = deps.self();
      const other = known.find(
        (worker) =>
          worker.id !== id && worker.state === "running" && worker.policyRevision !== policyRevision,
      );
      if (other === undefined) return { kind: "ok", detail: describeCount(countRunning(known)) };
      const detail = `${other.role} ${other.pid} on ${other.host} has another policy (${other.policyRevision.slice(0, 12)})`;
      return { kind: "degraded", detail };
    },
  };
}

/** The newest first. */
export async function listWorkers(
  store: Pick<Store, "read">,
  now: { readonly nowMs: number; readonly isOwnerDead: (owner: string) => boolean },
): Promise<readonly WorkerRow[]> {
  const rows = await store.read("SELECT * FROM workers ORDER BY started_at_ms DESC, id LIMIT 1000");
  return rows.map((row) => workerFromStore(row, now));
}

/** Runs that are due and need what no living worker offers, by need. */
export async function findUnmetNeeds(
  store: Pick<Store, "read">,
  workers: readonly WorkerRow[],
  nowMs: number,
): Promise<readonly { readonly need: string; readonly runs: number }[]> {
  const rows = await store.read(
    `SELECT need, COUNT(*) AS runs FROM run_needs JOIN runs ON runs.id = run_needs.run_id
      WHERE runs.wake_at_ms <= ? AND NOT ${isWithout} GROUP BY need ORDER BY need`,
    [nowMs],
  );
  const living = workers.filter(({ state }) => state === "running");
  const offered = new Set<string>(living.flatMap((worker) => worker.offers));
  const drivers = living.filter(({ role }) => role !== "gateway").map(({ id }) => without + id);
  const unknown = await countPassedOver(store, drivers, nowMs);
  return [
    ...rows
      .map((row) => ({ need: String(row["need"]), runs: Number(row["runs"]) }))
      .filter(({ need }) => !offered.has(need)),
    ...(unknown === 0 ? [] : [{ need: newerVersion, runs: unknown }]),
  ];
}

/** What stands for the need of runs that nobody who lives understands. */
const newerVersion = "a newer version";

/** Due runs that pass over every one of these. */
async function countPassedOver(
  store: Pick<Store, "read">,
  drivers: readonly string[],
  nowMs: number,
): Promise<number> {
  if (drivers.length === 0) return 0;
  const [row] = await store.read(
    `SELECT COUNT(*) AS runs FROM runs WHERE wake_at_ms <= ? AND
      (SELECT COUNT(*) FROM run_needs WHERE run_needs.run_id = runs.id AND need IN (${drivers.map(() => "?").join(", ")})) = ?`,
    [nowMs, ...drivers, drivers.length],
  );
  return Number(row?.["runs"]);
}

/**
 * Joins the batch that creates the run. Of `needs` those count that some process of this deployment is known to offer: what nobody
 * ever had is not waited for, and the run fails with the reason.
 */
export async function needStatements(
  store: Pick<Store, "read">,
  runId: string,
  needs: readonly Need[],
): Promise<readonly Statement[]> {
  if (needs.length === 0) return [];
  const rows = await store.read("SELECT offers FROM workers");
  const offered = new Set(rows.flatMap((row) => JSON.parse(String(row["offers"])) as readonly string[]));
  return needs
    .filter((need) => offered.has(need))
    .map((need) => ({ sql: "INSERT INTO run_needs (run_id, need) VALUES (?, ?)", params: [runId, need] }));
}

/** Stands before the id of a process that must not take the run, because it does not understand it. */
const without = "without:";
const isWithout = `substr(need, 1, ${without.length}) = '${without}'`;

/** The run is for any process but this one: a newer version has written what it cannot read. Saying it twice changes nothing. */
export function passOver(runId: string, owner: string): Statement {
  return {
    sql: "INSERT INTO run_needs (run_id, need) VALUES (?, ?) ON CONFLICT (run_id, need) DO NOTHING",
    params: [runId, without + owner],
  };
}

/** A condition on `runs`: only such as need nothing else than what is offered, and do not pass over this process. */
export function needsMet({ owner, offers }: { readonly owner: string; readonly offers: readonly Need[] }): {
  readonly sql: string;
  readonly params: readonly SqlValue[];
} {
  const others = offers.length === 0 ? "" : ` AND need NOT IN (${offers.map(() => "?").join(", ")})`;
  return {
    sql: `NOT EXISTS (SELECT 1 FROM run_needs WHERE run_needs.run_id = runs.id
      AND (need = ? OR (NOT ${isWithout}${others})))`,
    params: [without + owner, ...offers],
  };
}

function writeWorker(facts: WorkerFacts, state: "running" | "stopping", nowMs: number): Statement {
  return {
    sql: `INSERT INTO workers (id, role, host, pid, version, url, state, offers, isolation, concurrency, active, policy_revision,
        started_at_ms, seen_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET state = excluded.state, active = excluded.active, url = excluded.url,
        policy_revision = excluded.policy_revision, seen_at_ms = excluded.seen_at_ms`,
    params: [
      facts.id,
      facts.role,
      facts.host,
      facts.pid,
      facts.version,
      facts.url,
      state,
      JSON.stringify(facts.offers),
      facts.isolation,
      facts.concurrency,
      facts.active,
      facts.policyRevision,
      facts.startedAtMs,
      nowMs,
    ],
  };
}

function forgetWorkers(beforeMs: number): Statement {
  return { sql: "DELETE FROM workers WHERE seen_at_ms < ?", params: [beforeMs] };
}

const forgetPassedOver: Statement = {
  sql: `DELETE FROM run_needs WHERE ${isWithout}
    AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = substr(run_needs.need, ${without.length + 1}))`,
};

function workerFromStore(
  row: Row,
  { nowMs, isOwnerDead }: { readonly nowMs: number; readonly isOwnerDead: (owner: string) => boolean },
): WorkerRow {
  const id = row["id"] as string;
  const seenAtMs = row["seen_at_ms"] as number;
  return {
    id,
    role: row["role"] as WorkerRow["role"],
    host: row["host"] as string,
    pid: row["pid"] as number,
    version: row["version"] as string,
    url: row["url"] as string,
    offers: JSON.parse(row["offers"] as string) as readonly Need[],
    isolation: row["isolation"] as string,
    concurrency: row["concurrency"] as number,
    active: row["active"] as number,
    policyRevision: row["policy_revision"] as string,
    startedAtMs: row["started_at_ms"] as number,
    seenAtMs,
    state: workerState({
      said: row["state"] as "running" | "stopping" | "gone",
      silentMs: nowMs - seenAtMs,
      isDead: isOwnerDead(id),
    }),
  };
}

/** For rows that a move brings into another database: their processes worked on the one that was left. See `MoveOptions.arriving`. */
export const arrivingWorkers: Readonly<Record<string, string>> = { state: "'gone' AS state" };

/** What is to be thought of a process. Pure. */
export function workerState(seen: {
  readonly said: "running" | "stopping" | "gone";
  readonly silentMs: number;
  readonly isDead: boolean;
}): WorkerState {
  if (seen.isDead || seen.said === "gone" || seen.silentMs >= goneAfterMs) return "gone";
  if (seen.silentMs < silentAfterMs) return seen.said;
  // Whoever said goodbye and was not heard since has ended.
  return seen.said === "stopping" ? "gone" : "silent";
}

function describeCount(processes: number): string {
  return processes === 1 ? "1 process" : `${processes} processes`;
}

function countRunning(workers: readonly WorkerRow[]): number {
  return workers.filter(({ state }) => state === "running").length;
}
