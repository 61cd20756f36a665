/** The main thread's end of the line to the writer thread: sends batches, keeps their promises, ends cleanly. */
import { receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { createPendingBatches, unavailable } from "./pending-batches.ts";
import { startThread } from "./start-thread.ts";
import type { ThreadProgram } from "./start-thread.ts";
import type { Statement, StatementResult } from "./store.ts";
import type { FromWriter, ToWriter, WireBatch, WriterOptions } from "./wire.ts";

export interface Writer {
  /** Resolves and rejects as Store.write. */
  write(batch: readonly Statement[]): Promise<readonly StatementResult[]>;
  /** True while nothing waits for its commit and more can be written. */
  isIdle(): boolean;
  /** After what has been written before; ignored when the thread has ended. */
  send(message: ToWriter): void;
  /** Finishes what was written, closes the database, ends the thread. May be called twice. */
  close(): Promise<void>;
}

export interface WriterEvents {
  /** After the promises of that commit are settled. None of these may throw. */
  readonly onCommitted: (commit: { tables: readonly string[]; batches: number; durationMs: number }) => void;
  /** Without tables it is not known which. */
  readonly onForeignCommit: (tables?: readonly string[]) => void;
  readonly onLeaseLost: (name: string, epoch: number) => void;
  /** The thread ended without being asked to; nothing can be written any more. */
  readonly onDied: (why: string) => void;
}

export interface WriterSettings extends WriterOptions {
  /** Batches that may wait for their commit; one more is refused with STORE_UNAVAILABLE. */
  readonly maxPendingBatches: number;
}

/** A thread to write with, and what its refusal to open is told with. */
export interface WriterThread {
  readonly program: ThreadProgram;
  readonly maxPendingBatches: number;
  readonly about: Readonly<Record<string, string>>;
}

/** Resolves when the database is open and migrated. Throws DATA_FOLDER_UNUSABLE, STORE_UNAVAILABLE. */
export async function startWriter(settings: WriterSettings, events: WriterEvents): Promise<Writer> {
  const { maxPendingBatches, ...options } = settings;
  const program = { name: "writer-thread", options } as const;
  return startWriterThread({ program, maxPendingBatches, about: { path: options.path } }, events);
}

/** As `startWriter`, for the thread of any database. */
export async function startWriterThread(thread: WriterThread, events: WriterEvents): Promise<Writer> {
  const { program, maxPendingBatches, about } = thread;
  const { worker, port, ended } = startThread(program);
  const pending = createPendingBatches(maxPendingBatches);
  let unsent: ToWriter[] = [];
  let isFlushing = false;
  let unwritable: string | undefined;
  const opened = Promise.withResolvers<void>();
  port.on("message", receive);
  worker.once("error", (error) => die(`the writer thread failed: ${errorMessage(error)}`));
  worker.once("exit", () => die("the writer thread ended"));
  await opened.promise;
  return {
    async write(batch) {
      if (unwritable !== undefined) throw unavailable(unwritable);
      return pending.add(batch, (wire) => put(wire));
    },
    isIdle: () => unwritable === undefined && pending.isEmpty(),
    send,
    async close() {
      send({ kind: "close" });
      unwritable ??= "it is closed";
      await ended;
    },
  };

  function receive(message: FromWriter): void {
    if (message.kind === "opened") opened.resolve();
    if (message.kind === "refused") {
      unwritable = message.message;
      opened.reject(toRefusal(message, about));
    }
    if (message.kind === "committed") {
      const { outcomes, tables, durationMs } = message;
      pending.settle(outcomes);
      events.onCommitted({ tables, durationMs, batches: outcomes.length });
    }
    if (message.kind === "foreign-commit") events.onForeignCommit(message.tables);
    if (message.kind === "lease-lost") events.onLeaseLost(message.name, message.epoch);
  }

  /**
   * One message for everything of a turn: a message costs about as much as a small commit. A microtask later than the first write, so
   * that what follows from it (see `takeNext` of queue/claim.ts) goes along.
   */
  function flush(): void {
    isFlushing = false;
    if (unsent.length > 0) port.postMessage(unsent);
    unsent = [];
  }

  function put(wire: WireBatch): void {
    const last = unsent.at(-1);
    if (last?.kind === "write") last.batches.push(wire);
    else enqueue({ kind: "write", batches: [wire] });
  }

  function enqueue(message: ToWriter): void {
    unsent.push(message);
    if (isFlushing) return;
    isFlushing = true;
    queueMicrotask(() => queueMicrotask(flush));
  }

  /** At the end of the turn, unless something is written in it: leases that are held and dropped in one turn cost one message. */
  function send(message: ToWriter): void {
    if (unwritable !== undefined) return;
    if (unsent.push(message) === 1 && !isFlushing) setImmediate(flush);
  }

  function die(why: string): void {
    // The end of the thread may be told before its last answers: what they say is committed must not be called lost.
    lastMessages(port).forEach(receive);
    port.close();
    pending.rejectAll(why);
    if (unwritable !== undefined) return;
    unwritable = why;
    opened.reject(unavailable(why));
    events.onDied(why);
  }
}

function lastMessages(port: MessagePort): readonly FromWriter[] {
  const messages: FromWriter[] = [];
  for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
    messages.push((last as { readonly message: FromWriter }).message);
  }
  return messages;
}

function toRefusal(
  refused: Extract<FromWriter, { kind: "refused" }>,
  about: WriterThread["about"],
): HomeostatError {
  return new HomeostatError(refused.code, refused.message, about, { hint: refused.hint });
}
