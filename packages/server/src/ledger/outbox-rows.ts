/** The publisher's view of the database: outbox rows in, rows and position out, always in one fenced batch. */
import { createSalt } from "../base/id.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { sha256 } from "../base/digest.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { fence } from "../store/lease.ts";
import type { Lease } from "../store/lease.ts";
import type { SqlValue, Statement, Store } from "../store/store.ts";
import { entryProblem, frameEntries } from "./entry.ts";
import type { FramedEntries } from "./entry.ts";
import type { SignedHead } from "./log.ts";

export interface OutboxRow {
  readonly id: number;
  readonly key: string;
  readonly text: string;
}

/** A row as it goes into the ledger; `refused` when the row held no valid entry and a note takes its place. */
export interface PreparedRow {
  readonly id: number;
  readonly key: string;
  readonly framed: FramedEntries;
  readonly refused: HomeostatError | undefined;
}

/** Few enough that their entries and the parameters of one statement stay small. */
const rowsAtATime = 500;

/**
 * The oldest rows. Ids become visible in ascending order (store/postgres-commit.ts), but always from the start all the same: what a
 * publisher before could not finish is still there.
 */
export async function readOutbox(store: Store): Promise<readonly OutboxRow[]> {
  const rows = await store.read("SELECT id, key, entry FROM ledger_outbox ORDER BY id LIMIT ?", [
    rowsAtATime,
  ]);
  return rows.map((row) => ({ id: Number(row["id"]), key: String(row["key"]), text: String(row["entry"]) }));
}

/** Which of the keys have no row: published, when the caller knows that there was one. */
export async function findGone(store: Store, keys: readonly string[]): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const some of inGroups(keys)) {
    const rows = await store.read(`SELECT key FROM ledger_outbox WHERE key IN (${marks(some)})`, some);
    const present = new Set(rows.map((row) => String(row["key"])));
    gone.push(...some.filter((key) => !present.has(key)));
  }
  return gone;
}

export async function countOutbox(store: Store): Promise<number> {
  const [row] = await store.read("SELECT COUNT(*) AS pending FROM ledger_outbox");
  return Number(row!["pending"]);
}

/** How many entries the database knows to be in the ledger. */
export async function readPosition(store: Store): Promise<number> {
  const [row] = await store.read("SELECT size FROM ledger_position WHERE only_row = 1");
  return Number(row?.["size"] ?? 0);
}

/** One batch: rows leave the outbox and the position moves on, unless the lease was lost (STORE_CONFLICT, guard "lease"). */
export async function settleRows(
  store: Store,
  lease: Pick<Lease, "name" | "owner" | "epoch">,
  {
    ids,
    keys,
    head,
  }: { readonly ids?: readonly number[]; readonly keys?: readonly string[]; readonly head?: SignedHead },
): Promise<void> {
  const byId = inGroups(ids ?? []).map((some) => deleteWhere("id", some));
  const byKey = inGroups(keys ?? []).map((some) => deleteWhere("key", some));
  await store.write([fence(lease), ...byId, ...byKey, ...(head === undefined ? [] : [movePosition(head)])]);
}

/**
 * A row that holds no valid entry must not stop all others for ever: a signed note with its digest takes its place, under its
 * key. `nowMs` dates the note.
 */
export function prepareRow({ id, key, text }: OutboxRow, nowMs: number): PreparedRow {
  try {
    const value: unknown = JSON.parse(text);
    const problem = entryProblem(value);
    if (problem !== undefined) throw refusal(key, problem);
    const entry = value as LedgerEntry;
    if (entry.key !== key) throw refusal(key, `its entry has the key ${entry.key}`);
    return { id, key, framed: frameEntries([entry]), refused: undefined };
  } catch (error) {
    const note = frameEntries([refusalNote({ id, key, text }, nowMs)]);
    return { id, key, framed: note, refused: refusal(key, errorMessage(error)) };
  }
}

function refusal(key: string, why: string): HomeostatError {
  return new HomeostatError("LEDGER_ENTRY_INVALID", `Outbox row ${key} holds no valid ledger entry: ${why}`, {
    key,
  });
}

function refusalNote({ key, text }: OutboxRow, nowMs: number): LedgerEntry {
  return {
    v: 1,
    // The row's own key, so that a crash before its deletion is recognised. A key that no entry may have is replaced.
    key: key.length >= 1 && key.length <= 1024 && key.isWellFormed() ? key : `ledger/refused/${sha256(key)}`,
    at: new Date(nowMs).toISOString(),
    type: "ledger.entry_refused",
    tenant: "default",
    actor: { kind: "system", id: "ledger" },
    labels: [],
    salt: createSalt(),
    data: { rowSha256: sha256(text), sizeBytes: Buffer.byteLength(text) },
  };
}

function movePosition({ size, root }: SignedHead): Statement {
  return {
    sql: `INSERT INTO ledger_position (only_row, size, root) VALUES (1, ?, ?)
      ON CONFLICT (only_row) DO UPDATE SET size = excluded.size, root = excluded.root
      WHERE ledger_position.size <= excluded.size`,
    params: [size, root],
  };
}

function deleteWhere(column: "id" | "key", values: readonly SqlValue[]): Statement {
  return { sql: `DELETE FROM ledger_outbox WHERE ${column} IN (${marks(values)})`, params: values };
}

function marks(values: readonly unknown[]): string {
  return values.map(() => "?").join(", ");
}

function inGroups<Value>(values: readonly Value[]): readonly (readonly Value[])[] {
  const groups: (readonly Value[])[] = [];
  for (let at = 0; at < values.length; at += rowsAtATime) groups.push(values.slice(at, at + rowsAtATime));
  return groups;
}
