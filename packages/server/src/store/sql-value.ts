/** Which values may be handed to a database: those that come back as they were. Pure. */
import { HomeostatError } from "../base/error.ts";
import type { SqlValue } from "./store.ts";

/** A copy that the caller cannot change any more. Throws INTERNAL for what a database would store as something else. */
export function checkedValue(value: SqlValue): SqlValue {
  if (typeof value === "string" || value === null) return value;
  if (typeof value === "number") {
    // NaN would become NULL; an integer beyond 2^53 would come back as another number.
    if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) return value;
    throw new HomeostatError("INTERNAL", `A database cannot hold the number ${value} exactly`);
  }
  // Copied, because cloning a view clones all of the memory behind it, often 8 KB of Node's buffer pool.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new HomeostatError("INTERNAL", `A statement's parameter cannot be ${typeof value}`);
}
