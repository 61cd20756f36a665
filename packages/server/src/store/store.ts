/** What every database offers: point reads, and guarded batches that are durable when they resolve. */

/** Booleans are stored as 0 and 1; JSON as text; times as integer milliseconds. */
export type SqlValue = null | string | number | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

/**
 * One statement of a batch. `?` marks parameters on every database. SQL keeps to what SQLite and PostgreSQL share
 * (RETURNING, ON CONFLICT, subselects; no AUTOINCREMENT, no JSON operators, no deferred constraints, which would fail the
 * commit that many share), so that one text serves both.
 */
export interface Statement {
  readonly sql: string;
  readonly params?: readonly SqlValue[];
  /**
   * How many rows it must touch (or return, with RETURNING), else the whole batch is undone and `write` rejects with a
   * StoreConflict that carries `guard`. This is how fences, unique keys and first-answer-wins are written.
   */
  readonly expect?: { readonly rows: number; readonly guard: string };
}

export interface StatementResult {
  /** Rows of RETURNING, else empty. */
  readonly rows: readonly Row[];
  readonly changes: number;
}

/** Where reads of people's pages may come from. */
export type ReplicaState =
  /** `lagMs`: so long it last took to show what was committed; 0 when it had it at the first look. */
  | { readonly kind: "following"; readonly lagMs: number }
  /** `lagMs`: so long it has been behind. */
  | { readonly kind: "behind"; readonly lagMs: number }
  | { readonly kind: "away"; readonly why: string };

/** Reads that decide nothing: lists and counts that people are shown. */
export interface RecentReads {
  /**
   * Rows as of now or of a moment ago: at least every commit of this store, and those of others that it has heard of. While the
   * primary is away a replica may answer with less than that.
   */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Undefined where there is none. */
  replica(): ReplicaState | undefined;
}

export interface Store {
  readonly dialect: "sqlite" | "postgres";
  /** Committed rows as of now. For point reads and short lists; long scans belong in `scan`. */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  readonly recent: RecentReads;
  /** Rows in bounded pages off the main thread's hot path; stop early by breaking the loop. */
  scan(sql: string, params?: readonly SqlValue[]): AsyncIterable<Row>;
  /**
   * Runs the statements as one atomic unit, joined with other callers' batches in one commit (group commit). Resolves
   * after that commit is synced. Rejects with HomeostatError STORE_CONFLICT (`data.guard`) when an expectation failed or a unique key
   * was taken (`data.guard` is then the statement's own guard or "unique"), STORE_UNAVAILABLE when the database cannot be written
   * (disk full, closed). Batches of one caller run in call order.
   */
  write(batch: readonly Statement[]): Promise<readonly StatementResult[]>;
  /** Called after a commit that inserted into the named table; may be called late or for nothing, never instead of reading. */
  onCommit(table: string, listener: () => void): () => void;
  close(): Promise<void>;
}

/** A table's creation or change. Ids sort by time (`0001-journal`), are never edited, and run once in one transaction. */
export interface Migration {
  readonly id: string;
  readonly statements: (dialect: Dialect) => readonly string[];
}

/** Where the databases differ in what makes a table. */
export interface Dialect {
  /** Type of binary columns. */
  readonly bytes: string;
  /** Declares an ascending integer key column. */
  readonly identity: string;
  /** What gives each row of the table an ascending number, `rowid`, which SQLite has by itself. A move gives new ones. */
  readonly numberRows: (table: string) => readonly string[];
}

/** A database opened for reading alone, beside or without a server: what `verify` and `doctor` look through. */
export type StoreReader = Pick<Store, "read" | "scan" | "close">;
