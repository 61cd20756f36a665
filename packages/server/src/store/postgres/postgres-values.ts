/** What PostgreSQL sends as the store's values: numbers that are exact or refused, bytes as Uint8Array, truth as 0 and 1. Pure. */
import type { CustomTypesConfig } from "pg";
import { HomeostatError } from "../../base/error.ts";
import type { SqlValue } from "../store.ts";

/** For every query of the store. A parser that throws fails its query, and so undoes the batch around it. */
export const postgresValues: CustomTypesConfig = {
  // Cast, because the driver's type has one overload for each type it knows, and ours answers for all.
  getTypeParser: ((type: number) => parsers.get(type) ?? text) as CustomTypesConfig["getTypeParser"],
};

function text(value: string): SqlValue {
  return value;
}

function truth(value: string): SqlValue {
  return value === "t" ? 1 : 0;
}

/** Copied, because a view would keep (and a clone to another thread carry) the whole piece of memory that was received. */
function bytes(value: string): SqlValue {
  return new Uint8Array(Buffer.from(value.slice(2), "hex"));
}

/** Throws INTERNAL for a whole number that JavaScript would round. */
function wholeNumber(value: string): SqlValue {
  const parsed = Number(value);
  if (Number.isSafeInteger(parsed)) return parsed;
  throw new HomeostatError("INTERNAL", `the database holds ${value}, which is beyond 2^53`);
}

/** Sums and averages of whole numbers are NUMERIC: whole ones must be exact, fractions were never. */
function decimal(value: string): SqlValue {
  return value.includes(".") ? Number(value) : wholeNumber(value);
}

// Object ids of the types, fixed in PostgreSQL's pg_type.dat: bool, bytea, int8, int2, int4, oid, float4, float8, numeric.
const parsers: ReadonlyMap<number, (value: string) => SqlValue> = new Map([
  [16, truth],
  [17, bytes],
  [20, wholeNumber],
  [21, wholeNumber],
  [23, wholeNumber],
  [26, wholeNumber],
  [700, Number],
  [701, Number],
  [1700, decimal],
]);
