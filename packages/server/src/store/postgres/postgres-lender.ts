/** Connections for long reads: from a replica as long as it shows all that is committed, else from the primary. */
import type { Clock } from "../../base/clock.ts";
import { createPostgresConnections } from "./postgres-connections.ts";
import type { Loan } from "./postgres-connections.ts";
import { reachPlace } from "./postgres-place.ts";

export interface Lender {
  /** Throws the driver's errors. */
  borrow(): Promise<Loan>;
  /** Ends all, lent ones too. */
  close(): void;
}

export interface LenderDeps {
  readonly url: string;
  /** A replica that follows by streaming. */
  readonly readUrl: string | undefined;
  readonly clock: Clock;
  /** The place in the write-ahead log to which a replica must have come to show all that is committed now. */
  readonly committedUpTo: () => Promise<string>;
  /** False while the replica is known to be of no use: one that is not reachable would cost each scan seconds. */
  readonly mayAskReplica: () => boolean;
}

/** Connections are kept for the next scan up to this many. */
const maxIdleConnections = 2;

/** A replica that is further behind is passed over for the primary. */
const patienceMs = 100;

/**
 * As many as are wanted at once: a bound would let scans that wait for each other stand still. A replica that cannot be reached
 * or is behind costs a scan its advantage, never its rows: the store promises every read what is committed by then.
 */
export function createLender(deps: LenderDeps): Lender {
  const { url, readUrl, clock, committedUpTo, mayAskReplica } = deps;
  const primaries = createPostgresConnections(url, maxIdleConnections);
  const replicas = readUrl === undefined ? undefined : createPostgresConnections(readUrl, maxIdleConnections);
  return {
    async borrow() {
      if (replicas !== undefined && mayAskReplica()) {
        const wanted = await committedUpTo();
        const loan = await replicas.borrow().catch(() => undefined);
        if (loan !== undefined) {
          const found = await reachPlace(loan.connection, wanted, { clock, patienceMs });
          if (found === "reached") return loan;
          loan.giveBack(found !== "failed");
        }
      }
      return await primaries.borrow();
    },
    close() {
      primaries.close();
      replicas?.close();
    },
  };
}
