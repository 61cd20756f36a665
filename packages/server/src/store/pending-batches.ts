/** Batches on their way to the writer thread: what each becomes as a message, and its promise until the answer is there. */
import { HomeostatError } from "../base/error.ts";
import { checkedValue } from "./sql-value.ts";
import type { Statement, StatementResult } from "./store.ts";
import { isFailure } from "./wire.ts";
import type { WireBatch, WireFailure, WireOutcome } from "./wire.ts";

export interface PendingBatches {
  /**
   * Hands the batch to `send` and resolves or rejects when it is settled. Rejects at once, sending nothing, with
   * STORE_UNAVAILABLE when too many wait, and with INTERNAL for values that no database can hold.
   */
  add(batch: readonly Statement[], send: (wire: WireBatch) => void): Promise<readonly StatementResult[]>;
  /** The outcomes of the oldest batches: answers come in the order of sending, so they need no ids. */
  settle(outcomes: readonly WireOutcome[]): void;
  isEmpty(): boolean;
  /** Rejects all that are left with STORE_UNAVAILABLE. */
  rejectAll(why: string): void;
}

export interface PendingBatch {
  readonly batch: readonly Statement[];
  readonly resolve: (results: readonly StatementResult[]) => void;
  readonly reject: (error: HomeostatError) => void;
}

export function createPendingBatches(maxPendingBatches: number): PendingBatches {
  // Settled ones are cut off now and then, not one by one, which would move the rest each time.
  let entries: PendingBatch[] = [];
  let settled = 0;
  return {
    add: (batch, send) =>
      new Promise((resolve, reject) => {
        if (entries.length - settled >= maxPendingBatches) {
          return reject(unavailable(`${maxPendingBatches} batches are waiting to be written already`));
        }
        send(toWire(batch));
        entries.push({ batch, resolve, reject });
      }),
    settle(outcomes) {
      for (const outcome of outcomes) settlePending(entries[settled++]!, outcome);
      if (settled === entries.length || settled > maxPendingBatches) {
        entries = entries.slice(settled);
        settled = 0;
      }
    },
    isEmpty: () => settled === entries.length,
    rejectAll(why) {
      for (const { reject } of entries.slice(settled)) reject(unavailable(why));
      entries = [];
      settled = 0;
    },
  };
}

export function unavailable(why: string): HomeostatError {
  return new HomeostatError("STORE_UNAVAILABLE", `The database cannot be written: ${why}`);
}

/** The values as they are now, whatever becomes of them. Throws INTERNAL for values that no database can hold. */
export function toWire(batch: readonly Statement[]): WireBatch {
  return batch.map(({ sql, params, expect }) => [
    sql,
    params === undefined ? [] : params.map(checkedValue),
    expect?.rows ?? null,
  ]);
}

export function settlePending({ batch, resolve, reject }: PendingBatch, outcome: WireOutcome): void {
  if (isFailure(outcome)) return reject(toError(outcome, batch));
  resolve(
    outcome.map((result) =>
      typeof result === "number" ? { rows: [], changes: result } : { rows: result, changes: result.length },
    ),
  );
}

function toError(failure: WireFailure, batch: readonly Statement[]): HomeostatError {
  if (failure.kind === "unavailable") return unavailable(failure.message);
  const statement = batch[failure.statement];
  const sql = statement?.sql;
  switch (failure.kind) {
    case "guard": {
      const guard = statement?.expect?.guard;
      const text = `The record changed meanwhile: ${guard} expected ${statement?.expect?.rows} rows, found ${failure.rows}`;
      return new HomeostatError("STORE_CONFLICT", text, {
        guard,
        rows: failure.rows,
        statement: failure.statement,
      });
    }
    case "unique": {
      const guard = statement?.expect?.guard ?? "unique";
      return new HomeostatError("STORE_CONFLICT", `The record exists already: ${failure.message}`, {
        guard,
        statement: failure.statement,
      });
    }
    case "mistake":
      return new HomeostatError("INTERNAL", `A statement failed: ${failure.message}`, { sql });
  }
}
