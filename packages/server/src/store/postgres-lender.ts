/** Connections for long reads: made when wanted, from a replica as long as it shows all that is committed. */
import type { Clock } from "../base/clock.ts";
import { connectPostgres } from "./postgres-connection.ts";
import type { PostgresConnection } from "./postgres-connection.ts";

export interface Lender {
  /** Throws the driver's errors. */
  borrow(): Promise<Loan>;
  /** Ends all, lent ones too. */
  close(): void;
}

export interface Loan {
  readonly connection: PostgresConnection;
  /** `isUsable`: no transaction is open in it. */
  giveBack(isUsable: boolean): void;
}

export interface LenderDeps {
  readonly url: string;
  /** A replica that follows by streaming. */
  readonly readUrl: string | undefined;
  readonly clock: Clock;
  /** The place in the write-ahead log to which a replica must have come to show all that is committed now. */
  readonly committedUpTo: () => Promise<string>;
}

/** Connections are kept for the next scan up to this many. */
const maxIdleConnections = 2;

/** A replica that is further behind is passed over for the primary: some 100 ms of waiting. */
const replicaLooks = 20;
const replicaLookMs = 5;

/**
 * As many as are wanted at once: a bound would let scans that wait for each other stand still. A replica that cannot be reached
 * or is behind costs a scan its advantage, never its rows: the store promises every read what is committed by then.
 */
export function createLender({ url, readUrl, clock, committedUpTo }: LenderDeps): Lender {
  const primaries = createConnections(url);
  const replicas = readUrl === undefined ? undefined : createConnections(readUrl);
  return {
    async borrow() {
      if (replicas !== undefined) {
        const wanted = await committedUpTo();
        const loan = await replicas.borrow().catch(() => undefined);
        if (loan !== undefined && (await hasCaughtUp(loan.connection, wanted, clock))) return loan;
        loan?.giveBack(true);
      }
      return await primaries.borrow();
    },
    close() {
      primaries.close();
      replicas?.close();
    },
  };
}

async function hasCaughtUp(connection: PostgresConnection, wanted: string, clock: Clock): Promise<boolean> {
  for (let looks = 0; looks < replicaLooks; looks += 1) {
    const answer = await connection.send({
      name: "caught_up",
      text: "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= $1::pg_lsn AS yes",
      values: [wanted],
    });
    if (answer.kind === "failed") return false;
    if (answer.rows[0]?.["yes"] === 1) return true;
    await clock.sleep(replicaLookMs);
  }
  return false;
}

function createConnections(url: string): Lender {
  const idle = new Set<PostgresConnection>();
  const busy = new Set<PostgresConnection>();
  let closed = false;
  return {
    async borrow() {
      const [kept] = idle;
      if (kept !== undefined) idle.delete(kept);
      const connection = kept ?? (await connect());
      busy.add(connection);
      return { connection, giveBack: (isUsable) => giveBack(connection, isUsable) };
    },
    close() {
      closed = true;
      for (const connection of [...idle, ...busy]) connection.destroy();
    },
  };

  async function connect(): Promise<PostgresConnection> {
    const connection = await connectPostgres(url);
    connection.client.once("end", () => {
      idle.delete(connection);
      busy.delete(connection);
    });
    if (closed) connection.destroy();
    return connection;
  }

  function giveBack(connection: PostgresConnection, isUsable: boolean): void {
    // One that has ended is busy no more.
    if (busy.delete(connection) && isUsable && !closed && idle.size < maxIdleConnections)
      idle.add(connection);
    else connection.destroy();
  }
}
