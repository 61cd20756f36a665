/** Reads that decide nothing, from a replica that shows every commit this process has made or heard of; else from the primary. */
import { createPostgresStatements } from "./postgres-connection.ts";
import type { PostgresQuery } from "./postgres-connection.ts";
import type { PostgresReads } from "./postgres-reader.ts";
import { createReplica } from "./postgres-replica.ts";
import type { Replica, ReplicaDeps } from "./postgres-replica.ts";
import { checkedValue } from "../sql-value.ts";
import type { RecentReads, Row, SqlValue } from "../store.ts";

export interface PostgresRecentReads extends RecentReads {
  /** To be told of each commit, whosever: later reads show it. */
  noteCommit(): void;
  close(): void;
}

export interface RecentDeps extends Omit<ReplicaDeps, "url" | "committedUpTo"> {
  readonly readUrl: string | undefined;
  readonly primary: PostgresReads;
  /** Told of each read. Must not throw. */
  readonly observe: ((from: "primary" | "replica") => void) | undefined;
}

/** Without a replica these are the primary's reads. */
export function createRecentReads(deps: RecentDeps): PostgresRecentReads {
  const { readUrl, primary, observe } = deps;
  const { committedUpTo } = primary;
  const replica = readUrl === undefined ? undefined : createReplica({ ...deps, url: readUrl, committedUpTo });
  const statements = createPostgresStatements();
  // Of the last commit that this process knows of; asked for by the first read after it.
  let place: Promise<string> | undefined;
  return {
    async read(sql, params = []) {
      const rows = replica && (await readFrom(replica, sql, params));
      observe?.(rows === undefined ? "primary" : "replica");
      return rows ?? (await primary.read(sql, params));
    },
    replica: () => replica?.state(),
    noteCommit: () => void (place = undefined),
    close: () => replica?.close(),
  };

  async function readFrom(
    from: Replica,
    sql: string,
    params: readonly SqlValue[],
  ): Promise<readonly Row[] | undefined> {
    if (from.state().kind !== "following") return undefined;
    // While the primary is away a page that may lack the last commits is better than none.
    const wanted = await knownPlace().catch(() => "0/0");
    const query = toQuery(sql, params);
    return query && (await from.read(query, wanted));
  }

  /** Undefined for what is wrong in itself: the primary tells it as everywhere. */
  function toQuery(sql: string, params: readonly SqlValue[]): PostgresQuery | undefined {
    try {
      return statements.toQuery(sql, params.map(checkedValue)).query;
    } catch {
      return undefined;
    }
  }

  async function knownPlace(): Promise<string> {
    try {
      return await (place ??= primary.committedUpTo());
    } catch (error) {
      // The next read asks again.
      place = undefined;
      throw error;
    }
  }
}
