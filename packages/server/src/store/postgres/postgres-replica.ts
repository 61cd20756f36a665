/** A streaming replica: whether it answers, how far it is behind, measured all the time, and the reads it may serve. */
import type { Clock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import type { PostgresConnection, PostgresQuery } from "./postgres-connection.ts";
import { createPostgresConnections } from "./postgres-connections.ts";
import type { Loan, PostgresConnections } from "./postgres-connections.ts";
import { postgresFailureText } from "./postgres-failure.ts";
import { lookAtReplica, reachPlace, waitForPlace } from "./postgres-place.ts";
import type { ReplicaLook } from "./postgres-place.ts";
import { startTimer } from "./postgres-timer.ts";
import type { ReplicaState, Row } from "../store.ts";

export interface Replica {
  state(): ReplicaState;
  /** The state after the first measurement; never rejects. */
  readonly measured: Promise<ReplicaState>;
  /** Rows that show all up to `place`; undefined when it cannot give them now. Never rejects. */
  read(query: PostgresQuery, place: string): Promise<readonly Row[] | undefined>;
  close(): void;
}

export interface ReplicaDeps {
  readonly url: string;
  readonly clock: Clock;
  /** Further behind than this it serves nothing, and a read waits no longer for it. */
  readonly maxLagMs: number;
  /** As in `LenderDeps`. */
  readonly committedUpTo: () => Promise<string>;
}

/** At once, measurements counted too; one more is the primary's, so that a slow replica gathers no line. */
const mostReads = 8;

/** Between two measurements. */
const restMs = 1_000;
/** While it is behind; it is of use again so long after it has caught up. */
const behindRestMs = 100;

/** Without an answer for so long it counts as away. */
const answerMs = 2_000;

/** Lists take milliseconds; what takes longer here is ended and asked of the primary. */
const longestReadMs = 10_000;

/** Measures from now on, until it is closed. */
export function createReplica(deps: ReplicaDeps): Replica {
  const { url, clock, maxLagMs, committedUpTo } = deps;
  const connections = createPostgresConnections(url, mostReads);
  const closing = new AbortController();
  let state: ReplicaState = { kind: "away", why: "it was not asked yet" };
  // Reads that wait for an answer of a replica that is found away are the primary's at once. One entry for each:
  // a promise that they shared would keep what each has read for as long as the replica follows.
  const leaving = new Set<() => void>();
  // What it is measured by: a place of the primary, and since when it stands there.
  let goal: { readonly place: string; readonly sinceMs: number } | undefined;
  const first = Promise.withResolvers<ReplicaState>();
  void keepMeasuring();
  return {
    state: () => state,
    measured: first.promise,
    async read(query, place) {
      if (state.kind !== "following" || connections.busy() >= mostReads) return undefined;
      const left = Promise.withResolvers<undefined>();
      const leave = (): void => left.resolve(undefined);
      leaving.add(leave);
      try {
        return await Promise.race([readUpTo(query, place), left.promise]);
      } finally {
        leaving.delete(leave);
      }
    },
    close() {
      closing.abort();
      become({ kind: "away", why: "it is closed" });
      connections.close();
    },
  };

  function become(next: ReplicaState): void {
    state = next;
    if (next.kind === "away") for (const leave of leaving) leave();
  }

  async function readUpTo(query: PostgresQuery, place: string): Promise<readonly Row[] | undefined> {
    const loan = await connections.borrow().catch(() => undefined);
    if (loan === undefined) return undefined;
    const { connection } = loan;
    const stopTimer = startTimer(clock, longestReadMs, () => connection.destroy());
    const found = await reachPlace(connection, place, { clock, patienceMs: maxLagMs });
    const isThere = found === "reached";
    // The next ones do not wait for what this one has waited for in vain.
    if (!isThere && state.kind === "following") become({ kind: "behind", lagMs: maxLagMs });
    const answer = isThere ? await connection.send(query) : undefined;
    stopTimer();
    // One whose plan for a statement has become stale never gets another.
    loan.giveBack(found !== "failed" && answer?.kind !== "failed");
    // Whatever the failure was, the primary tells it better: a statement may be wrong, or a table not have arrived yet.
    return answer?.kind === "done" ? answer.rows : undefined;
  }

  async function keepMeasuring(): Promise<void> {
    while (!closing.signal.aborted) {
      const found = await measure();
      // What it shows after having been away is no lag since then.
      if (found.kind !== "behind") goal = undefined;
      first.resolve(found);
      if (closing.signal.aborted) return;
      become(found);
      // Rejects when it is closed, which the loop's condition sees.
      await clock.sleep(found.kind === "behind" ? behindRestMs : restMs, closing.signal).catch(() => {});
    }
  }

  /** Its lag is the time that it takes from a place's being committed to its being shown. */
  async function measure(): Promise<ReplicaState> {
    let loan: Loan | undefined;
    try {
      const sinceMs = clock.monotonic();
      // While the primary is away nothing is committed: what the replica has shown of it remains the measure.
      goal ??= await committedUpTo().then(
        (place) => ({ place, sinceMs }),
        () => undefined,
      );
      const { connection } = (loan = await answered(clock, connections));
      const { place, sinceMs: goalMs } = goal ?? { place: "0/0", sinceMs };
      const wait = { clock, endMs: goalMs + maxLagMs, signal: closing.signal };
      const look = await waitForPlace(() => lookInTime(clock, connection, place), wait);
      loan.giveBack(true);
      if (look === "alone") return { kind: "away", why: "it is no replica, or is one no more" };
      const lagMs = goal === undefined ? 0 : clock.monotonic() - goalMs;
      return { kind: look === "reached" ? "following" : "behind", lagMs };
    } catch (error) {
      loan?.giveBack(false);
      return { kind: "away", why: postgresFailureText(error) };
    }
  }
}

async function lookInTime(clock: Clock, connection: PostgresConnection, place: string): Promise<ReplicaLook> {
  const stopTimer = startTimer(clock, answerMs, () => connection.destroy());
  try {
    return await lookAtReplica(connection, place);
  } finally {
    stopTimer();
  }
}

/** A connection that takes longer is given back when it comes. */
async function answered(clock: Clock, connections: PostgresConnections): Promise<Loan> {
  const borrowed = connections.borrow();
  const late = Promise.withResolvers<never>();
  const stopTimer = startTimer(clock, answerMs, () => {
    late.reject(new HomeostatError("STORE_UNAVAILABLE", `no connection in ${answerMs} ms`));
    borrowed.then(
      (loan) => loan.giveBack(true),
      () => {},
    );
  });
  try {
    return await Promise.race([borrowed, late.promise]);
  } finally {
    stopTimer();
  }
}
