/** Marks on a whole database: that its content was moved elsewhere, or that a move into it is not finished. */
import { HomeostatError } from "../base/error.ts";
import type { Migration, Statement, Store } from "./store.ts";

export const marksMigration: Migration = {
  id: "0300-store-marks",
  statements: () => ["CREATE TABLE store_marks (name TEXT PRIMARY KEY, value TEXT NOT NULL)"],
};

/** On the database that was left: nobody may start on it any more. */
export interface MovedMark {
  readonly id: string;
  /** Where to, without password. */
  readonly to: string;
  readonly atMs: number;
}

/** On the database that is being filled. */
export interface MovingMark {
  readonly id: string;
  readonly from: string;
  /** True once every row was compared; then only the source's mark may still be missing. */
  readonly verified: boolean;
}

/** On the database that is being left: writers are shut out (source-lock.ts). */
export interface LeavingMark {
  readonly to: string;
}

export interface Marks {
  readonly moved: MovedMark | undefined;
  readonly leaving: LeavingMark | undefined;
  readonly moving: MovingMark | undefined;
}

/** Held by whoever moves the database away. */
export const moveLeaseName = "store-move";

export async function readMarks(store: Pick<Store, "read">): Promise<Marks> {
  const rows = await store.read("SELECT name, value FROM store_marks");
  const find = (name: string): unknown => {
    const row = rows.find((each) => each["name"] === name);
    return row === undefined ? undefined : JSON.parse(String(row["value"]));
  };
  return {
    moved: find("moved") as MovedMark | undefined,
    leaving: find("leaving") as LeavingMark | undefined,
    moving: find("moving") as MovingMark | undefined,
  };
}

export function setMark(name: keyof Marks, value: MovedMark | LeavingMark | MovingMark): Statement {
  return {
    sql: "INSERT INTO store_marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    params: [name, JSON.stringify(value)],
  };
}

export function clearMark(name: keyof Marks): Statement {
  return { sql: "DELETE FROM store_marks WHERE name = ?", params: [name] };
}

export interface UsableDeps {
  readonly store: Pick<Store, "read">;
  /** Wall time in milliseconds. */
  readonly nowMs: number;
  readonly isOwnerDead: (owner: string) => boolean;
}

/**
 * For everybody who is about to work on a database. Throws STORE_MOVED (its content lives elsewhere now), STORE_MOVE_UNFINISHED
 * (it was only half filled), STORE_IN_USE (it is being moved right now).
 */
export async function requireUsable({ store, nowMs, isOwnerDead }: UsableDeps): Promise<void> {
  const { moved, moving } = await readMarks(store);
  if (moved !== undefined) throw movedError(moved);
  if (moving !== undefined) {
    throw new HomeostatError(
      "STORE_MOVE_UNFINISHED",
      `The move from ${moving.from} into this database did not finish, so it may hold only a part`,
      { from: moving.from },
    );
  }
  const [lease] = await store.read("SELECT owner, until_ms FROM leases WHERE name = ?", [moveLeaseName]);
  if (lease === undefined || Number(lease["until_ms"]) <= nowMs || isOwnerDead(String(lease["owner"])))
    return;
  throw new HomeostatError("STORE_IN_USE", "Its content is being moved to another database right now");
}

export function movedError({ to, atMs }: MovedMark): HomeostatError {
  const at = new Date(atMs).toISOString();
  return new HomeostatError("STORE_MOVED", `The content of this database was moved to ${to} at ${at}`, {
    to,
    at,
  });
}
