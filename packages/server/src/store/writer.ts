/** The main thread's end of the line to the writer thread: sends batches, keeps their promises, ends cleanly. */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { checkedValue } from "./sql-value.ts";
import type { Statement, StatementResult } from "./store.ts";
import { isFailure } from "./wire.ts";
import type { FromWriter, ToWriter, WireBatch, WireFailure, WireOutcome, WriterOptions } from "./wire.ts";

export interface Writer {
  /** Resolves and rejects as Store.write. */
  write(batch: readonly Statement[]): Promise<readonly StatementResult[]>;
  /** After what has been written before; ignored when the thread has ended. */
  send(message: ToWriter): void;
  /** Finishes what was written, closes the database, ends the thread. May be called twice. */
  close(): Promise<void>;
}

export interface WriterEvents {
  /** After the promises of that commit are settled. None of these may throw. */
  readonly onCommitted: (commit: { tables: readonly string[]; batches: number; durationMs: number }) => void;
  readonly onForeignCommit: () => void;
  readonly onLeaseLost: (name: string, epoch: number) => void;
  /** The thread ended without being asked to; nothing can be written any more. */
  readonly onDied: (why: string) => void;
}

interface Pending {
  readonly batch: readonly Statement[];
  readonly resolve: (results: readonly StatementResult[]) => void;
  readonly reject: (error: HomeostatError) => void;
}

export interface WriterSettings extends WriterOptions {
  /** Batches that may wait for their commit; one more is refused with STORE_UNAVAILABLE. */
  readonly maxPendingBatches: number;
}

/** Resolves when the database is open and migrated. Throws DATA_FOLDER_UNUSABLE, STORE_UNAVAILABLE. */
export async function startWriter(settings: WriterSettings, events: WriterEvents): Promise<Writer> {
  const { port1: port, port2 } = new MessageChannel();
  const { maxPendingBatches, ...options } = settings;
  // In the repository the thread runs as .ts, in the published package as .js: like this file.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./writer-thread.${extension}`, import.meta.url), {
    name: "store-writer",
    // Options of this process (--input-type, --inspect-brk, --test) are not meant for the thread, and some stop it.
    execArgv: [],
    workerData: { port: port2, options },
    transferList: [port2],
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));

  // Answers come in the order of sending, so the queue needs no ids. `answered` counts from its start.
  let pending: Pending[] = [];
  let answered = 0;
  let unsent: WireBatch[] = [];
  let unwritable: string | undefined;

  const opened = Promise.withResolvers<void>();
  port.on("message", receive);
  worker.once("error", (error) => die(`the writer thread failed: ${errorMessage(error)}`));
  worker.once("exit", () => die("the writer thread ended"));
  await opened.promise;
  return { write, send, close };

  function receive(message: FromWriter): void {
    if (message.kind === "opened") opened.resolve();
    if (message.kind === "refused") {
      const { code, message: text, hint } = message;
      unwritable = text;
      opened.reject(new HomeostatError(code, text, { path: settings.path }, { hint }));
    }
    if (message.kind === "committed") settle(message);
    if (message.kind === "foreign-commit") events.onForeignCommit();
    if (message.kind === "lease-lost") events.onLeaseLost(message.name, message.epoch);
  }

  function write(batch: readonly Statement[]): Promise<readonly StatementResult[]> {
    return new Promise((resolve, reject) => {
      if (unwritable !== undefined) return reject(unavailable(unwritable));
      if (pending.length - answered >= maxPendingBatches) {
        return reject(unavailable(`${maxPendingBatches} batches are waiting to be written already`));
      }
      const wire = batch.map(toWire);
      if (unsent.push(wire) === 1) queueMicrotask(flush);
      pending.push({ batch, resolve, reject });
    });
  }

  /** One message for all batches of a turn: a message costs about as much as a small commit. */
  function flush(): void {
    if (unsent.length === 0) return;
    port.postMessage({ kind: "write", batches: unsent } satisfies ToWriter);
    unsent = [];
  }

  function send(message: ToWriter): void {
    flush();
    if (unwritable === undefined) port.postMessage(message);
  }

  function settle(commit: Extract<FromWriter, { kind: "committed" }>): void {
    for (const outcome of commit.outcomes) settleOne(pending[answered++]!, outcome);
    if (answered === pending.length || answered > maxPendingBatches) {
      pending = pending.slice(answered);
      answered = 0;
    }
    const { tables, durationMs, outcomes } = commit;
    events.onCommitted({ tables, durationMs, batches: outcomes.length });
  }

  function settleOne({ batch, resolve, reject }: Pending, outcome: WireOutcome): void {
    if (isFailure(outcome)) return reject(toError(outcome, batch));
    resolve(
      outcome.map((result) =>
        typeof result === "number" ? { rows: [], changes: result } : { rows: result, changes: result.length },
      ),
    );
  }

  function die(why: string): void {
    rejectUnanswered(why);
    if (unwritable !== undefined) return;
    unwritable = why;
    opened.reject(unavailable(why));
    events.onDied(why);
  }

  function rejectUnanswered(why: string): void {
    // The end of the thread may be told before its last answers: what they say is committed must not be called lost.
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      receive((last as { readonly message: FromWriter }).message);
    }
    port.close();
    for (const { reject } of pending.slice(answered)) reject(unavailable(why));
    pending = [];
    answered = 0;
    unsent = [];
  }

  async function close(): Promise<void> {
    if (unwritable === undefined) {
      send({ kind: "close" });
      unwritable = "it is closed";
    }
    await ended;
  }
}

function toWire({ sql, params, expect }: Statement): WireBatch[number] {
  return [sql, params === undefined ? [] : params.map(checkedValue), expect?.rows ?? null];
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

function unavailable(why: string): HomeostatError {
  return new HomeostatError("STORE_UNAVAILABLE", `The database cannot be written: ${why}`);
}
