/** Closes a database to every writer while its content is moved away and afterwards, whoever they are and whatever their version. */
import { isHomeostatError } from "../../base/error.ts";
import { quoted } from "../sql-text.ts";
import { acquireLease, fence, freeLease } from "../lease.ts";
import type { AcquireRequest, LeaseStore } from "../lease.ts";
import { clearMark, moveLeaseName, readMarks, requireUsable } from "../marks.ts";
import type { Statement, Store } from "../store.ts";
import { listTables } from "./tables.ts";

/** What a closed database says to a writer; `to` is without password. */
function closedText(to: string): string {
  return `it is closed, because its content goes to ${to}`;
}

/**
 * The database itself refuses: a process that has it open would not look for marks, and a write of its after the copy would be lost.
 * Leases and marks stay open, for the mover holds the ones and sets the others.
 */
export async function closeForWriters(store: Store, to: string): Promise<readonly Statement[]> {
  const tables = await closedTables(store);
  const text = closedText(to).replaceAll("'", "''");
  const { leaving } = await readMarks(store);
  return [
    // What a mover that is gone has left. Elsewhere PostgreSQL would wait for every reader for nothing.
    ...(leaving === undefined ? [] : await openForWriters(store)),
    ...(store.dialect === "sqlite" ? sqliteLocks(tables, text) : postgresLocks(tables, text)),
  ];
}

/** Does nothing where nothing is closed. */
export async function openForWriters(store: Store): Promise<readonly Statement[]> {
  const tables = await closedTables(store);
  if (store.dialect === "sqlite") {
    return tables.flatMap((table) =>
      sqliteWrites.map((write) => ({ sql: `DROP TRIGGER IF EXISTS ${lockName(table, write)}` })),
    );
  }
  return tables.map((table) => ({ sql: `DROP TRIGGER IF EXISTS ${lockName(table)} ON ${quoted(table)}` }));
}

/** The move ends unfinished. Undoes the whole batch (guard "leaving") when it has ended by now, one way or the other. */
export function stopLeaving(): Statement {
  return { ...clearMark("leaving"), expect: { rows: 1, guard: "leaving" } };
}

/**
 * Opens what a mover that is gone has left closed. Does nothing after a whole move, or while its mover may be alive. Throws what
 * `requireUsable` throws when the move ended meanwhile, and STORE_UNAVAILABLE.
 */
export async function openAbandoned(store: LeaseStore, request: Omit<AcquireRequest, "name">): Promise<void> {
  const { moved, leaving } = await readMarks(store);
  if (moved !== undefined || leaving === undefined) return;
  const lease = await acquireLease(store, { ...request, name: moveLeaseName });
  if (lease === undefined) return;
  try {
    await store.write([fence(lease), stopLeaving(), ...(await openForWriters(store)), freeLease(lease)]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    // Its mover was alive until now.
    await store.write([freeLease(lease)]);
    await requireUsable({ store, nowMs: request.now, isOwnerDead: request.isOwnerDead });
  }
}

async function closedTables(store: Store): Promise<readonly string[]> {
  const tables = await listTables(store);
  return tables.map(({ name }) => name).filter((name) => name !== "leases" && name !== "store_marks");
}

const sqliteWrites = ["INSERT", "UPDATE", "DELETE"] as const;

function sqliteLocks(tables: readonly string[], text: string): readonly Statement[] {
  return tables.flatMap((table) =>
    sqliteWrites.map((write) => ({
      sql: `CREATE TRIGGER ${lockName(table, write)} BEFORE ${write} ON ${quoted(table)}
        BEGIN SELECT RAISE(ABORT, '${text}'); END`,
    })),
  );
}

/** The code is of the class "operator intervention", which every version takes for a database that cannot be written now. */
function postgresLocks(tables: readonly string[], text: string): readonly Statement[] {
  return [
    {
      sql: `CREATE OR REPLACE FUNCTION homeostat_closed() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = ''57000''; END'`,
    },
    ...tables.map((table) => ({
      sql: `CREATE TRIGGER ${lockName(table)} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${quoted(table)}
        FOR EACH STATEMENT EXECUTE FUNCTION homeostat_closed('${text}')`,
    })),
  ];
}

function lockName(table: string, write = ""): string {
  return quoted(`closed_${write.toLowerCase()}_${table}`);
}
