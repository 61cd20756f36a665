/** The messages between the main thread and the writer thread: plain data that survives a structured clone. */
import type { Clock } from "../base/clock.ts";
import type { Row, SqlValue } from "./store.ts";

/** `expectedRows` is null when the statement may touch any number of rows. Guards stay on the main thread. */
export type WireStatement = readonly [sql: string, params: readonly SqlValue[], expectedRows: number | null];
export type WireBatch = readonly WireStatement[];

/** A number is the count of changes of a statement that returned no rows; most results are, and numbers are cheap to clone. */
export type WireResult = number | readonly Row[];

/** Why a batch left no trace. `statement` is its index in the batch. */
export type WireFailure =
  | { readonly kind: "guard"; readonly statement: number; readonly rows: number }
  | { readonly kind: "unique"; readonly statement: number; readonly message: string }
  | { readonly kind: "mistake"; readonly statement: number; readonly message: string }
  | { readonly kind: "unavailable"; readonly message: string };

export type WireOutcome = readonly WireResult[] | WireFailure;

export function isFailure(outcome: WireOutcome): outcome is WireFailure {
  return !Array.isArray(outcome);
}

/** A migration with its text already made for the dialect. */
export interface WireMigration {
  readonly id: string;
  readonly statements: readonly string[];
}

export interface WriterOptions {
  readonly path: string;
  readonly migrations: readonly WireMigration[];
  readonly synchronous: "full" | "normal";
  readonly foreignCommitPollMs: number;
}

/** For the thread that writes to PostgreSQL. */
export interface PostgresWriterOptions {
  readonly url: string;
  readonly migrations: readonly WireMigration[];
  /** Tells this store's commits from those of others on the same database. */
  readonly instance: string;
}

export interface WireLease {
  readonly name: string;
  readonly owner: string;
  readonly epoch: number;
  readonly ttlMs: number;
  /** Shared with the main thread, so that a busy main thread sees renewals it has not been told of; see lease-slot.ts. */
  readonly slot: BigInt64Array;
}

/** They are sent in lists: all that one turn of the main thread has to say, in order. */
export type ToWriter =
  | { readonly kind: "write"; readonly batches: WireBatch[] }
  /** Whether commits of other processes are looked for. */
  | { readonly kind: "watch"; readonly on: boolean }
  | { readonly kind: "hold"; readonly lease: WireLease }
  | { readonly kind: "drop"; readonly name: string; readonly epoch: number }
  /** Brings the log into the database file, synced; only for SQLite. */
  | { readonly kind: "checkpoint" }
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "opened" }
  | {
      readonly kind: "refused";
      readonly code: "DATA_FOLDER_UNUSABLE" | "STORE_UNAVAILABLE";
      readonly message: string;
      readonly hint: string;
    }
  | {
      /** One per commit; outcomes are in the order in which the batches were sent. */
      readonly kind: "committed";
      readonly outcomes: readonly WireOutcome[];
      readonly tables: readonly string[];
      readonly durationMs: number;
    }
  /** Without tables it is not known which; any may be meant. */
  | { readonly kind: "foreign-commit"; readonly tables?: readonly string[] }
  | { readonly kind: "lease-lost"; readonly name: string; readonly epoch: number };

/** What a failed statement or commit means for its batch. */
export type FailureKind = "unique" | "unavailable" | "mistake";

export interface CommitReport {
  /** One per batch, in order. */
  readonly outcomes: readonly WireOutcome[];
  /** Tables that the committed batches filled. */
  readonly tables: readonly string[];
}

/** The thread's end of the line to the main thread. */
export interface WriterLine {
  readonly clock: Clock;
  send(message: FromWriter): void;
  /** The next message that has already arrived. */
  receive(): ToWriter | undefined;
  listen(onMessage: (message: ToWriter) => void): void;
  /** Ends the thread: nothing keeps it alive afterwards. */
  close(): void;
}
