/** Moves everything from one database to another, empty one: streamed, compared on both sides, and only then made usable. */
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, errorMessage, isHomeostatError } from "../../base/error.ts";
import { createId } from "../../base/id.ts";
import { copyTable, digestTable } from "./copy-table.ts";
import { quoted } from "../sql-text.ts";
import type { Arriving, RowSet } from "./copy-table.ts";
import { acquireLease, fence, freeLease } from "../lease.ts";
import type { HeldLease, LeaseStore } from "../lease.ts";
import { clearMark, moveLeaseName, movedError, readMarks, setMark } from "../marks.ts";
import type { MovingMark } from "../marks.ts";
import { continueAfter, lastNumber } from "./number-sequences.ts";
import { closeForWriters, openForWriters, stopLeaving } from "./source-lock.ts";
import type { Statement, Store } from "../store.ts";
import { isNumbered, listTables } from "./tables.ts";
import type { TableShape } from "./tables.ts";

export interface MoveOptions {
  readonly source: LeaseStore;
  readonly target: Store;
  /** Names of both for people, without passwords. */
  readonly from: string;
  readonly to: string;
  readonly clock: Clock;
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  /** Who works on the source without a lease, in words; undefined when nobody is known to. */
  readonly findUser: () => Promise<string | undefined>;
  /** How rows of a table arrive, beside leases: a term of SQL in the place of a column, the same when it is read again. */
  readonly arriving: Arriving;
  /** Leases to hold during the move besides its own, so that nobody begins to write: the publisher's. */
  readonly alsoHold: readonly string[];
  /** Proves the filled target by what lies beside the database (the ledger). Throws when it does not hold. */
  readonly prove: () => Promise<void>;
  /** Joins the batch that makes the target usable. */
  readonly record: (moved: MovedTables) => readonly Statement[];
  /** Told about every few thousand rows. Must not throw. */
  readonly onProgress: (text: string) => void;
}

export interface MovedTable extends RowSet {
  readonly name: string;
}

export interface MovedTables {
  readonly tables: readonly MovedTable[];
  readonly rows: number;
  /** True when an earlier call had copied and compared everything, and only the end was missing. */
  readonly wasFinished: boolean;
}

/**
 * All or nothing: until the last batch the target carries a mark that keeps everybody from starting on it, and a second call
 * begins anew; from then on the source carries one. Throws STORE_IN_USE, STORE_MOVED, STORE_TARGET_NOT_EMPTY,
 * STORE_MOVE_FAILED (the sides differ), STORE_UNAVAILABLE, and what `prove` throws; the source is then as it was, or is
 * opened by the next server that starts on it.
 */
export async function moveStore(options: MoveOptions): Promise<MovedTables> {
  const { source, target } = options;
  const { moved } = await readMarks(source);
  const { moving } = await readMarks(target);
  if (moved !== undefined) {
    if (moving?.verified !== true || moving.id !== moved.id) throw movedError(moved);
    const tables = await digestAll(await listTables(target), target, options.arriving);
    return await makeUsable(options, { tables, rows: countRows(tables), wasFinished: true });
  }
  const tables = await requireAlike(source, target);
  await requireEmpty(target, { tables, moving });
  const leases = await holdAll(options);
  try {
    const leaving = setMark("leaving", { to: options.to });
    await source.write([...leases.map(fence), ...(await closeForWriters(source, options.to)), leaving]);
    try {
      return await moveHeld(options, tables, leases);
    } catch (error) {
      await takeBack(options, leases);
      throw error;
    }
  } finally {
    for (const lease of leases) source.dropLease(lease);
    await source.write(leases.map(freeLease)).catch((error: unknown) => {
      options.onProgress(
        `the leases on the source could not be freed and end by themselves: ${errorMessage(error)}`,
      );
    });
  }
}

/**
 * Opens the source again, unless the move has become valid, or somebody else moves it by now. Never rejects: why the move failed
 * is what must be known.
 */
async function takeBack({ source, onProgress }: MoveOptions, leases: readonly HeldLease[]): Promise<void> {
  try {
    await source.write([...leases.map(fence), stopLeaving(), ...(await openForWriters(source))]);
  } catch (error) {
    if (isHomeostatError(error, "STORE_CONFLICT")) return;
    onProgress(`the source stays closed until a server is started on it: ${errorMessage(error)}`);
  }
}

/** What would be moved, without touching anything. Throws as `moveStore` does before it begins. */
export async function countStore(
  source: Pick<Store, "read" | "dialect">,
): Promise<readonly { readonly name: string; readonly rows: number }[]> {
  const counts: { name: string; rows: number }[] = [];
  for (const { name } of ours(await listTables(source))) {
    const [row] = await source.read(`SELECT COUNT(*) AS n FROM ${quoted(name)}`);
    counts.push({ name, rows: Number(row?.["n"]) });
  }
  return counts;
}

async function moveHeld(
  options: MoveOptions,
  tables: readonly TableShape[],
  leases: readonly HeldLease[],
): Promise<MovedTables> {
  const { source, target, from, to, clock } = options;
  const id = createId("evt", clock.now());
  const mark: MovingMark = { id, from, verified: false };
  await target.write([setMark("moving", mark), ...tables.map(({ name }) => emptied(name))]);
  const copied = await copyAll(options, tables);
  await requireSame(options, "the target", { tables, copied });
  for (const table of tables) {
    if (isNumbered(table))
      await target.write(continueAfter(target.dialect, table, await lastNumber(source, table)));
  }
  options.onProgress("proving the runs and the ledger against the copy");
  await options.prove();
  // Nobody could write (source-lock.ts), but a program of somebody else's may have opened it by force.
  await requireSame(options, "the source", { tables, copied });
  // In this order a crash in between leaves none of the two usable, and the next call finishes it.
  await target.write([setMark("moving", { ...mark, verified: true })]);
  const moved = setMark("moved", { id, to, atMs: clock.now() });
  await source.write([...leases.map(fence), moved, clearMark("leaving")]);
  return await makeUsable(options, { tables: copied, rows: countRows(copied), wasFinished: false });
}

async function makeUsable(options: MoveOptions, moved: MovedTables): Promise<MovedTables> {
  await options.target.write([clearMark("moving"), ...options.record(moved)]);
  return moved;
}

async function copyAll(options: MoveOptions, tables: readonly TableShape[]): Promise<readonly MovedTable[]> {
  const { source, target, onProgress } = options;
  const copied: MovedTable[] = [];
  for (const table of tables) {
    let rows = 0;
    let told = 0;
    const onRows = (more: number): void => {
      rows += more;
      if (rows - told < rowsBetweenNews) return;
      told = rows;
      onProgress(`${table.name}: ${rows} rows`);
    };
    const set = await copyTable(table, { source, target, onRows, arriving: options.arriving });
    onProgress(`${table.name}: ${set.rows} rows copied`);
    copied.push({ name: table.name, ...set });
  }
  return copied;
}

const rowsBetweenNews = 10_000;

async function digestAll(
  tables: readonly TableShape[],
  store: Pick<Store, "scan">,
  arriving: Arriving,
): Promise<readonly MovedTable[]> {
  const sets: MovedTable[] = [];
  for (const table of ours(tables))
    sets.push({ name: table.name, ...(await digestTable(table, store, arriving)) });
  return sets;
}

/** Reads a side once more: the target for what it holds, the source for what somebody wrote meanwhile. */
async function requireSame(
  { source, target, arriving, onProgress }: MoveOptions,
  side: "the target" | "the source",
  { tables, copied }: { readonly tables: readonly TableShape[]; readonly copied: readonly MovedTable[] },
): Promise<void> {
  onProgress(`comparing the digests with ${side}`);
  const found = await digestAll(tables, side === "the target" ? target : source, arriving);
  for (const [index, { name, rows, digest }] of copied.entries()) {
    const other = found[index];
    if (other?.rows === rows && other.digest === digest) continue;
    const text = `Table ${name}: ${rows} rows with digest ${digest.slice(0, 16)} were read, ${side} now has ${other?.rows} with ${other?.digest.slice(0, 16)}`;
    throw new HomeostatError("STORE_MOVE_FAILED", text, { table: name, side });
  }
}

async function requireAlike(source: Store, target: Store): Promise<readonly TableShape[]> {
  const tables = ours(await listTables(source));
  const others = new Map(ours(await listTables(target)).map((table) => [table.name, table]));
  for (const { name, columns } of tables) {
    if (others.get(name)?.columns.join() === columns.join()) continue;
    const text = `The target's table ${name} is not built as the source's`;
    throw new HomeostatError("STORE_MOVE_FAILED", text, { table: name });
  }
  return tables;
}

/** Rows of a move that did not finish are nobody's. */
async function requireEmpty(
  target: Store,
  { tables, moving }: { readonly tables: readonly TableShape[]; readonly moving: MovingMark | undefined },
): Promise<void> {
  if (moving !== undefined) return;
  for (const { name } of tables) {
    const [row] = await target.read(`SELECT COUNT(*) AS n FROM ${quoted(name)}`);
    const rows = Number(row?.["n"]);
    if (rows === 0) continue;
    const text = `The target is not empty: its table ${name} holds ${rows} rows`;
    throw new HomeostatError("STORE_TARGET_NOT_EMPTY", text, { table: name, rows });
  }
}

/** Throws STORE_IN_USE while anybody who may be alive holds any lease: a run, the publisher, another move. */
async function holdAll(options: MoveOptions): Promise<readonly HeldLease[]> {
  const { source, clock, owner, isOwnerDead } = options;
  const now = clock.now();
  for (const row of await source.read("SELECT name, owner FROM leases WHERE until_ms > ?", [now])) {
    if (!isOwnerDead(String(row["owner"]))) throw inUse(String(row["name"]));
  }
  const user = await options.findUser();
  if (user !== undefined)
    throw new HomeostatError("STORE_IN_USE", `Somebody works on the database: ${user}`, { user });
  const held: HeldLease[] = [];
  for (const name of [moveLeaseName, ...options.alsoHold]) {
    const lease = await acquireLease(source, { name, owner, ttlMs: 30_000, now, isOwnerDead });
    if (lease === undefined) throw inUse(name);
    held.push(source.holdLease(lease));
  }
  return held;
}

function inUse(lease: string): HomeostatError {
  return new HomeostatError("STORE_IN_USE", `Somebody works on the database: ${lease} is held`, { lease });
}

function ours(tables: readonly TableShape[]): readonly TableShape[] {
  return tables.filter(({ name }) => name !== "store_marks");
}

function emptied(name: string): Statement {
  return { sql: `DELETE FROM ${quoted(name)}` };
}

function countRows(tables: readonly RowSet[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}
