/** How far a replica has come, as a place in the primary's write-ahead log. */
import type { Clock } from "../../base/clock.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import type { Store } from "../store.ts";

/** Asked of the primary: what a replica must have reached to show every commit acknowledged so far. */
export async function committedPlace(primary: Pick<Store, "read">): Promise<string> {
  const [row] = await primary.read("SELECT pg_current_wal_flush_lsn()::text AS place");
  return String(row?.["place"]);
}

/** `alone`: it is no replica (any more), so what it shows may be another history. */
export type ReplicaLook = "reached" | "behind" | "alone";

/** One look. Throws the driver's errors. */
export async function lookAtReplica(connection: PostgresConnection, place: string): Promise<ReplicaLook> {
  const answer = await connection.send({
    name: "reached",
    text: "SELECT pg_is_in_recovery() AS replica, pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached",
    values: [place],
  });
  if (answer.kind === "failed") throw answer.error;
  const [row] = answer.rows;
  if (row?.["replica"] !== 1) return "alone";
  return row["reached"] === 1 ? "reached" : "behind";
}

/** How often a replica that is behind is looked at. Replicas in the same building are behind by about as much. */
const lookMs = 5;

export interface PlaceWait {
  readonly clock: Clock;
  /** On the monotonic clock; then the last look counts. */
  readonly endMs: number;
  readonly signal?: AbortSignal;
}

/** Looks until it is behind no more, or the end has come. Throws what `look` throws, and the signal's abort. */
export async function waitForPlace(
  look: () => Promise<ReplicaLook>,
  { clock, endMs, signal }: PlaceWait,
): Promise<ReplicaLook> {
  for (;;) {
    const found = await look();
    if (found !== "behind" || clock.monotonic() >= endMs) return found;
    await clock.sleep(lookMs, signal);
  }
}

/** Waits for it, `patienceMs` at most. Never rejects: `failed` says that the connection is of no more use. */
export async function reachPlace(
  connection: PostgresConnection,
  place: string,
  { clock, patienceMs }: { readonly clock: Clock; readonly patienceMs: number },
): Promise<ReplicaLook | "failed"> {
  const wait = { clock, endMs: clock.monotonic() + patienceMs };
  return await waitForPlace(() => lookAtReplica(connection, place), wait).catch(() => "failed");
}
