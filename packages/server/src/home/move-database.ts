/** Moves the whole state to another database and proves it there; the files of the data folder stay where they are. */
import { resolve } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import { systemClock as clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { blobPlaces, openBlobsReader } from "../blobs/open-blobs.ts";
import type { BlobSettings } from "../blobs/open-blobs.ts";
import type { Config } from "../config/config-schema.ts";
import { arrivingRuns } from "../queue/claim.ts";
import { arrivingWorkers, listWorkers } from "../queue/worker-registry.ts";
import { homeAt } from "./home.ts";
import type { Home } from "./home.ts";
import { publisherLeaseName } from "../ledger/publish.ts";
import { createLedgerReader } from "../ledger/reader.ts";
import { migrations } from "./migrations.ts";
import type { LeaseStore } from "../store/lease.ts";
import { clearMark, readMarks } from "../store/marks.ts";
import { countStore, moveStore } from "../store/move/move.ts";
import type { MovedTables } from "../store/move/move.ts";
import { openPostgresStore } from "../store/postgres/postgres.ts";
import { placeOf } from "../store/postgres/postgres-url.ts";
import { isProcessDead, processIdentity } from "../store/process-identity.ts";
import { openPostgresSnapshot, openSqliteSnapshot } from "../store/move/snapshot.ts";
import type { Snapshot } from "../store/move/snapshot.ts";
import { openForWriters } from "../store/move/source-lock.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { listTables } from "../store/move/tables.ts";
import { recordFact } from "./record-fact.ts";
import { verifyHome } from "./verify-home.ts";

/** A database by its address: a file, or a URL with everything that it needs. */
export type DatabaseAddress =
  { readonly kind: "sqlite"; readonly path: string } | { readonly kind: "postgres"; readonly url: string };

/** Where the configuration says that the state lies. */
export function configuredDatabase(config: Pick<Config, "home" | "databaseUrl">): DatabaseAddress {
  if (config.databaseUrl !== undefined) return { kind: "postgres", url: config.databaseUrl };
  return { kind: "sqlite", path: homeAt(config.home).stateDatabase };
}

/** `postgres://...`, `sqlite:` for the file in the data folder, `sqlite:/path/to/state.db`. Throws USAGE for anything else. */
export function parseDatabase(text: string, home: string): DatabaseAddress {
  if (/^postgres(?:ql)?:\/\//.test(text)) return { kind: "postgres", url: text };
  if (text === "sqlite:") return { kind: "sqlite", path: homeAt(home).stateDatabase };
  // A path that depends on where one stands would be lost: no server looks for its database there.
  const path = /^sqlite:(?:\/\/)?(\/.+)$/s.exec(text)?.[1];
  if (path !== undefined) return { kind: "sqlite", path: resolve(path) };
  // The text is not shown: a mistyped URL may hold a password.
  const hint =
    "Give postgres://user@host/database, sqlite: for the data folder's own, or sqlite:/path/to/state.db.";
  throw new HomeostatError("USAGE", "That is no address of a database", {}, { hint });
}

/** What may be shown of it. */
export function describeDatabase(address: DatabaseAddress): string {
  return address.kind === "sqlite" ? address.path : placeOf(address.url);
}

export interface MoveDatabaseOptions {
  readonly home: Home;
  /** Where the blobs are that the copy is proved with. */
  readonly blobs: BlobSettings;
  readonly from: DatabaseAddress;
  readonly to: DatabaseAddress;
  readonly logger: Logger;
  readonly onProgress: (text: string) => void;
}

/** Throws as `moveStore` does, and STORE_MOVE_FAILED when the copy does not prove against the ledger. */
export async function moveDatabase(options: MoveDatabaseOptions): Promise<MovedTables> {
  const { logger, onProgress } = options;
  const [from, to] = [describeDatabase(options.from), describeDatabase(options.to)];
  if (from === to) throw new HomeostatError("USAGE", `${to} is where everything already is`);
  const source = await openDatabase(options.from, logger);
  try {
    const target = await openDatabase(options.to, logger);
    try {
      return await moveStore({
        source,
        target,
        from,
        to,
        clock,
        owner: processIdentity(),
        isOwnerDead: isProcessDead,
        findUser: () => findUser(source),
        arriving: { workers: arrivingWorkers, runs: arrivingRuns },
        alsoHold: [publisherLeaseName],
        prove: () => proveCopy(options, target),
        record: ({ tables, rows }) => {
          const digest = sha256(canonicalJson(tables.map((table) => ({ ...table }))));
          return [recordFact("store.moved", { from, to, rows, digest }, clock.now())];
        },
        onProgress,
      });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

export interface MoveTrial {
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  readonly rows: number;
  /** What would stop the move now; empty when nothing would. */
  readonly obstacles: readonly string[];
}

/** Opens both for reading alone. A target that does not exist yet is empty; a server must be reachable. */
export async function tryMoveDatabase({
  from,
  to,
}: Pick<MoveDatabaseOptions, "from" | "to">): Promise<MoveTrial> {
  const source = await openSnapshot(from);
  try {
    const tables = await countStore(source);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    return { tables, rows, obstacles: [...(await sourceObstacles(source)), ...(await targetObstacles(to))] };
  } finally {
    await source.close();
  }
}

/**
 * Takes a moved database back into use. Throws STORE_MOVED when entries were written since, which the other database alone
 * knows; they come back with a move in the other direction.
 */
export async function reopenDatabase(home: Home, address: DatabaseAddress, logger: Logger): Promise<void> {
  const store = await openDatabase(address, logger);
  try {
    const { moved } = await readMarks(store);
    if (moved === undefined) return;
    const [position] = await store.read("SELECT size FROM ledger_position WHERE only_row = 1");
    const more = createLedgerReader(home.ledger).head().size - Number(position?.["size"] ?? 0);
    if (more > 0) {
      throw new HomeostatError(
        "STORE_MOVED",
        `${moved.to} was used since the move: the ledger has ${more} entries of which this database knows nothing`,
        { to: moved.to, entries: more },
        { hint: "Move everything back: rename this database, then `homeostat store migrate --to sqlite:`." },
      );
    }
    await store.write([clearMark("moved"), ...(await openForWriters(store))]);
  } finally {
    await store.close();
  }
}

async function openDatabase(address: DatabaseAddress, logger: Logger): Promise<LeaseStore> {
  return address.kind === "sqlite"
    ? await openSqliteStore({ path: address.path, migrations, clock, logger })
    : await openPostgresStore({ url: address.url, migrations, clock, logger });
}

export async function openSnapshot(address: DatabaseAddress): Promise<Snapshot> {
  return address.kind === "sqlite"
    ? await openSqliteSnapshot(address.path)
    : await openPostgresSnapshot(address.url);
}

async function proveCopy({ home, blobs: settings }: MoveDatabaseOptions, target: LeaseStore): Promise<void> {
  const blobs = await openBlobsReader(blobPlaces(home, settings), target);
  const report = await verifyHome({ home, store: target, blobs, runId: null });
  if (report.verdict === "intact") return;
  const text = `The copy does not prove against the ledger: ${report.text}`;
  throw new HomeostatError("STORE_MOVE_FAILED", text, { findings: report.findings.length });
}

async function sourceObstacles(source: Snapshot): Promise<readonly string[]> {
  const rows = await source.read("SELECT name, owner FROM leases WHERE until_ms > ? ORDER BY name", [
    clock.now(),
  ]);
  const user = await findUser(source);
  return [
    ...rows
      .filter((row) => !isProcessDead(String(row["owner"])))
      .map((row) => `somebody works on the source: ${String(row["name"])} is held`),
    ...(user === undefined ? [] : [`somebody works on the source: ${user}`]),
  ];
}

/** A process that holds no lease just now. It would be shut out, and its callers with it. */
async function findUser(source: Pick<Store, "read" | "dialect">): Promise<string | undefined> {
  // A dry run may look at a database that an older version made.
  if (!(await listTables(source)).some(({ name }) => name === "workers")) return undefined;
  const known = await listWorkers(source, { nowMs: clock.now(), isOwnerDead: isProcessDead });
  // Whoever is stopping and still works holds a lease.
  const living = known.find(({ state }) => state === "running");
  return living && `${living.role} ${living.pid} on ${living.host}`;
}

async function targetObstacles(to: DatabaseAddress): Promise<readonly string[]> {
  let target: Snapshot;
  try {
    target = await openSnapshot(to);
  } catch (error) {
    // A file is made by the move.
    if (to.kind === "sqlite") return [];
    throw error;
  }
  try {
    if ((await listTables(target)).length === 0) return [];
    const full = (await countStore(target)).filter(({ rows }) => rows > 0);
    return full.map(({ name, rows }) => `the target is not empty: its table ${name} holds ${rows} rows`);
  } finally {
    await target.close();
  }
}
