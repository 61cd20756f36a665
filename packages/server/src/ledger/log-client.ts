/** The main thread's end of the log thread: gathers appends into blocks while earlier ones are being synced. */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { createAppendQueue } from "./append-queue.ts";
import type { Appended } from "./append-queue.ts";
import type { FramedEntries } from "./entry.ts";
import { unavailable } from "./ledger-error.ts";
import type { FromLog } from "./log-messages.ts";
import type { LogOptions, SignedHead } from "./log.ts";
import type { Repairs } from "./recover.ts";

export interface LogClientOptions extends LogOptions {
  /** Bytes that may wait for their checkpoint; an append beyond is refused with LEDGER_BUSY. */
  readonly maxQueuedBytes: number;
  /** Called after each commit, in order, before the appends of it resolve. Must not throw. */
  readonly onCommitted?: (commit: { readonly count: number; readonly durationMs: number }) => void;
}

export interface LogClient {
  readonly head: SignedHead;
  readonly verifierKey: string;
  readonly repairs: Repairs;
  /**
   * Resolves when a checkpoint over the entries is on disk. Rejects with LEDGER_BUSY (queue full, nothing was queued) or with
   * the error that ended the thread; then the entries may or may not be in the ledger. Urgent entries go before all that wait
   * and are never refused: their sender bounds them itself.
   */
  append(entries: FramedEntries, options?: { readonly isUrgent: boolean }): Promise<Appended>;
  /** Rejects with the error that ended the thread; never settles otherwise. */
  readonly failed: Promise<never>;
  /**
   * Ends the thread after what was queued, or with a `reason` at once: then only blocks already sent are finished and the rest
   * is rejected with it. May be called twice.
   */
  close(reason?: HomeostatError): Promise<void>;
}

/** Throws LEDGER_BROKEN, LEDGER_KEYS_UNUSABLE, LEDGER_UNAVAILABLE. */
export async function startLog(options: LogClientOptions): Promise<LogClient> {
  const { maxQueuedBytes, onCommitted, ...logOptions } = options;
  const { port, worker, ended } = startThread(logOptions);
  const failure = Promise.withResolvers<never>();
  // Whoever appends or waits hears of the failure; a client that nobody asks anything must not bring the process down.
  failure.promise.catch(() => {});
  const opened = Promise.withResolvers<FromLog & { kind: "opened" }>();
  const queue = createAppendQueue({
    maxQueuedBytes,
    send: (message) => port.postMessage(message),
    onCommitted: (commit) => onCommitted?.(commit),
  });

  function fail(error: HomeostatError): void {
    queue.fail(error);
    failure.reject(error);
  }

  function receive(message: FromLog): void {
    if (message.kind === "opened") opened.resolve(message);
    if (message.kind === "committed") queue.committed(message);
    if (message.kind === "failed") {
      fail(new HomeostatError(message.failure.code, message.failure.message, message.failure.data));
    }
  }

  port.on("message", receive);
  worker.once("error", (error) => fail(unavailable(`its thread failed: ${errorMessage(error)}`)));
  worker.once("exit", () => {
    // The thread's last words may still lie in the port.
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      receive(last.message as FromLog);
    }
    fail(unavailable("its thread has ended"));
    port.close();
  });
  const { verifierKey, repairs, head } = await Promise.race([opened.promise, failure.promise]);
  queue.start(head);
  return {
    get head() {
      return queue.head();
    },
    verifierKey,
    repairs,
    append: (entries, { isUrgent } = { isUrgent: false }) => queue.append(entries, isUrgent),
    failed: failure.promise,
    async close(reason) {
      if (reason !== undefined) queue.discard(reason);
      queue.close();
      await ended;
    },
  };
}

function startThread(options: LogOptions): { port: MessagePort; worker: Worker; ended: Promise<void> } {
  const { port1: port, port2 } = new MessageChannel();
  // In the repository the thread runs as .ts, in the published package as .js: like this file.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf(".") + 1);
  const worker = new Worker(new URL(`./log-thread.${extension}`, import.meta.url), {
    name: "ledger-log",
    workerData: { port: port2, options },
    transferList: [port2],
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return { port, worker, ended };
}
