/** A digest of a set of rows that does not depend on their order, so that two databases can be compared in one pass each. Pure. */
import { sha256 } from "../../base/digest.ts";
import type { Row, SqlValue } from "../store.ts";

export interface RowDigest {
  add(row: Row): void;
  readonly rows: number;
  /** 64 hex digits. */
  hex(): string;
}

const mask = 2n ** 256n - 1n;

/**
 * The sum modulo 2^256 of the SHA-256 of each row. Unlike XOR it notices a row that is there twice. It finds mistakes; against
 * somebody who makes rows on purpose stand journal, ledger and `verify`.
 */
export function createRowDigest(columns: readonly string[]): RowDigest {
  let sum = 0n;
  let rows = 0;
  return {
    add(row) {
      const digest = sha256(JSON.stringify(columns.map((column) => form(row[column] ?? null))));
      sum = (sum + BigInt(`0x${digest}`)) & mask;
      rows += 1;
    },
    get rows() {
      return rows;
    },
    hex: () => sum.toString(16).padStart(64, "0"),
  };
}

/** Bytes must not look like a text. */
function form(value: SqlValue): unknown {
  return value instanceof Uint8Array ? [Buffer.from(value).toString("hex")] : value;
}
