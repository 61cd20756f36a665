/** What `doctor` says of the database and of the work in it: version, clock, what nobody holds any more, what waits for a person. */
import { access } from "node:fs/promises";
import { systemClock as clock } from "../../base/clock.ts";
import type { Config } from "../../config/config-schema.ts";
import { isProcessDead } from "../../store/process-identity.ts";
import type { StoreReader } from "../../store/store.ts";
import type { ReplicaState } from "../../store/store.ts";
import { databasePlace, measureReplica, openStateReader } from "../../home/state-store.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** Nothing is made: where there is no database yet, that is all there is to say. */
export async function checkState(config: Config): Promise<readonly Diagnosis[]> {
  const place = databasePlace(config);
  const isServer = config.databaseUrl !== undefined;
  if (!isServer && !(await exists(place)))
    return [{ name: "database", state: "ok", detail: "will be made by `homeostat up`" }];
  try {
    const store = await openStateReader(config);
    try {
      const version = await readVersion(store, isServer);
      const [row] = await store.read("SELECT COUNT(*) AS n FROM runs");
      const detail = `${place}, ${String(row?.["n"])} runs, ${version}`;
      return [
        { name: "database", state: "ok", detail },
        ...(isServer ? [judgeSkew(await measureSkew(store), config.runs.leaseSeconds * 1000)] : []),
        ...judgeReplica(await measureReplica(config, store), config.databaseReadMaxLagMs),
        ...judgeLeases(await readLeases(store), clock.now(), isProcessDead),
        ...judgeDead(await countDead(store)),
      ];
    } finally {
      await store.close();
    }
  } catch (error) {
    return [failed("database", error)];
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function readVersion(store: StoreReader, isServer: boolean): Promise<string> {
  const [row] = await store.read(
    isServer ? "SELECT current_setting('server_version') AS version" : "SELECT sqlite_version() AS version",
  );
  return `${isServer ? "PostgreSQL" : "SQLite"} ${String(row?.["version"])}`;
}

export interface ClockSkew {
  /** How far the database's clock is ahead of ours. */
  readonly aheadMs: number;
  /** The answer took this long, so the skew is only known to half of it. */
  readonly roundTripMs: number;
}

/** A file has no clock of its own; a server's is compared with the middle of the question and its answer. */
async function measureSkew(store: StoreReader): Promise<ClockSkew> {
  const askedMs = clock.now();
  const [row] = await store.read(
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms",
  );
  const roundTripMs = clock.now() - askedMs;
  return { aheadMs: Math.round(Number(row?.["now_ms"]) - (askedMs + roundTripMs / 2)), roundTripMs };
}

/** Below this nothing depends on it; schedules and expiries are told to the second. */
const harmlessSkewMs = 1_000;

/** Leases are judged by wall clocks: apart by a third of one, processes take runs from each other. Pure. */
export function judgeSkew({ aheadMs, roundTripMs }: ClockSkew, leaseTtlMs: number): Diagnosis {
  const name = "clock";
  const apartMs = Math.max(0, Math.abs(aheadMs) - roundTripMs / 2);
  const detail = `the database's clock is ${Math.abs(aheadMs)} ms ${aheadMs < 0 ? "behind" : "ahead of"} this machine's`;
  const hint = "Let both machines follow the same time server (chrony, systemd-timesyncd).";
  if (apartMs >= leaseTtlMs / 3) return { name, state: "failed", detail, hint };
  if (apartMs >= harmlessSkewMs) return { name, state: "warning", detail, hint };
  return { name, state: "ok", detail };
}

/** Without its replica the primary serves everything, so nothing is broken. Pure. */
export function judgeReplica(replica: ReplicaState | undefined, maxLagMs: number): readonly Diagnosis[] {
  const name = "replica";
  if (replica === undefined) return [];
  switch (replica.kind) {
    case "following":
      return [{ name, state: "ok", detail: `behind by ${Math.round(replica.lagMs)} ms` }];
    case "behind": {
      const detail = `behind by more than ${maxLagMs} ms (databaseReadMaxLagMs): the primary serves lists and long reads`;
      const hint =
        "Look whether the replica is overloaded or its replay is paused, or raise databaseReadMaxLagMs.";
      return [{ name, state: "warning", detail, hint }];
    }
    case "away": {
      const detail = `${replica.why}: the primary serves lists and long reads`;
      return [{ name, state: "warning", detail, hint: "Start the replica, or correct databaseReadUrl." }];
    }
  }
}

export interface LeaseRow {
  readonly name: string;
  readonly owner: string;
  readonly untilMs: number;
}

/** Leases of runs that have ended are of no use to anybody, and held by nobody. */
async function readLeases(store: StoreReader): Promise<readonly LeaseRow[]> {
  const rows = await store.read("SELECT name, owner, until_ms FROM leases WHERE owner <> '' LIMIT 10000");
  return rows.map((row) => ({
    name: row["name"] as string,
    owner: row["owner"] as string,
    untilMs: Number(row["until_ms"]),
  }));
}

/** A living server takes over what has ended within seconds. */
const takeOverMs = 60_000;

/** Leases whose holder is gone and that nobody has taken over. Pure. */
export function judgeLeases(
  leases: readonly LeaseRow[],
  nowMs: number,
  isDead: (owner: string) => boolean,
): readonly Diagnosis[] {
  const stale = leases.filter(({ owner, untilMs }) => untilMs < nowMs - takeOverMs || isDead(owner));
  if (stale.length === 0) return [];
  const names = stale.slice(0, 3).map(({ name }) => name);
  const more = stale.length > names.length ? ` and ${stale.length - names.length} more` : "";
  const detail = `${stale.length} held by processes that are gone: ${names.join(", ")}${more}`;
  const hint = "A running server takes them over by itself; start one with `homeostat up`.";
  return [{ name: "leases", state: "warning", detail, hint }];
}

async function countDead(store: StoreReader): Promise<number> {
  const [row] = await store.read("SELECT COUNT(*) AS n FROM runs WHERE state = 'DEAD'");
  return Number(row?.["n"] ?? 0);
}

/** Pure. */
export function judgeDead(count: number): readonly Diagnosis[] {
  if (count === 0) return [];
  const detail = `${count} ${count === 1 ? "run has" : "runs have"} used up their attempts and wait for a person`;
  const hint = "Look at them with `homeostat dead list`; then `homeostat dead retry` or `discard`.";
  return [{ name: "dead", state: "warning", detail, hint }];
}
