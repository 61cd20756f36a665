/** The main thread's end of the log thread: gathers appends into blocks while earlier ones are being synced. */
import { MessageChannel, Worker } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { errorMessage, HomeostatError } from "../base/error.ts";
import type { FramedEntries } from "./entry.ts";
import type { FromLog, ToLog } from "./log-messages.ts";
import type { LogOptions, SignedHead } from "./log.ts";
import type { Repairs } from "./recover.ts";

export interface LogClientOptions extends LogOptions {
  /** Bytes that may wait for their checkpoint; an append beyond is refused with LEDGER_BUSY. */
  readonly maxQueuedBytes: number;
  /** Called after each commit, in order, before the appends of it resolve. Must not throw. */
  readonly onCommitted?: (commit: { readonly count: number; readonly durationMs: number }) => void;
}

export interface Appended {
  /** Index of the first entry of the append; the others follow, but entries of other appends may lie between blocks. */
  readonly firstIndex: number;
  /** The checkpoint that covers the last of them. */
  readonly head: SignedHead;
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
  /** Finishes what was queued and ends the thread. May be called twice. */
  close(): Promise<void>;
}

/** More entries or bytes in one block would make each of them wait longer than 10 ms for its checkpoint. */
const maxBlockEntries = 2048;
const maxBlockBytes = 1024 * 1024;
/** One block is being written while the next one lies ready in the thread's port. */
const maxBlocksUnderWay = 2;

/** Throws LEDGER_BROKEN, LEDGER_KEYS_UNUSABLE, LEDGER_UNAVAILABLE. */
export async function startLog(options: LogClientOptions): Promise<LogClient> {
  const { maxQueuedBytes, onCommitted, ...logOptions } = options;
  const { port1: port, port2 } = new MessageChannel();
  // In the repository the thread runs as .ts, in the published package as .js: like this file.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./log-thread.${extension}`, import.meta.url), {
    name: "ledger-log",
    workerData: { port: port2, options: logOptions },
    transferList: [port2],
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const failure = Promise.withResolvers<never>();
  // Whoever appends or waits hears of the failure; a client that nobody asks anything must not bring the process down.
  failure.promise.catch(() => {});
  const queue = createQueue(port, { maxQueuedBytes, ...(onCommitted === undefined ? {} : { onCommitted }) });

  function fail(error: HomeostatError): void {
    queue.fail(error);
    failure.reject(error);
  }

  worker.once("error", (error) => fail(unavailable(`its thread failed: ${errorMessage(error)}`)));
  worker.once("exit", () => fail(unavailable("its thread has ended")));
  const opened = new Promise<FromLog & { kind: "opened" }>((resolve) => {
    port.on("message", (message: FromLog) => {
      if (message.kind === "opened") resolve(message);
      if (message.kind === "committed") queue.committed(message);
      if (message.kind === "failed") {
        fail(new HomeostatError(message.failure.code, message.failure.message, message.failure.data));
      }
    });
  });
  let verifierKey: string;
  let repairs: Repairs;
  try {
    const message = await Promise.race([opened, failure.promise]);
    ({ verifierKey, repairs } = message);
    queue.start(message.head);
  } catch (error) {
    await ended;
    port.close();
    throw error;
  }

  return {
    get head() {
      return queue.head();
    },
    verifierKey,
    repairs,
    append: (entries, options) => queue.append(entries, options?.isUrgent ?? false),
    failed: failure.promise,
    async close() {
      queue.close();
      await ended;
      port.close();
    },
  };
}

/** A piece of an append that fits a block; the last piece of an append settles it. */
interface Piece extends FramedEntries {
  readonly last: PromiseWithResolvers<Appended> | undefined;
  readonly first: { index: number };
  readonly isFirst: boolean;
}

interface AppendQueue {
  start(head: SignedHead): void;
  append(entries: FramedEntries, isUrgent: boolean): Promise<Appended>;
  committed(message: FromLog & { kind: "committed" }): void;
  fail(error: HomeostatError): void;
  close(): void;
  head(): SignedHead;
}

type QueueOptions = Pick<LogClientOptions, "maxQueuedBytes" | "onCommitted">;

function createQueue(port: MessagePort, { maxQueuedBytes, onCommitted }: QueueOptions): AppendQueue {
  const waiting: Piece[] = [];
  const blocks: (readonly Piece[])[] = [];
  let queuedBytes = 0;
  let head: SignedHead = { size: 0, root: "", checkpoint: "" };
  let closed: HomeostatError | undefined;
  let isCloseWanted = false;

  function append(entries: FramedEntries, isUrgent: boolean): Promise<Appended> {
    if (closed !== undefined) return Promise.reject(closed);
    if (isCloseWanted) return Promise.reject(unavailable("it is being closed"));
    if (entries.count === 0) return Promise.resolve({ firstIndex: head.size, head });
    if (!isUrgent && queuedBytes + entries.payload.length > maxQueuedBytes) {
      const text = `The ledger's queue holds ${queuedBytes} bytes; ${entries.payload.length} more do not fit its ${maxQueuedBytes}`;
      return Promise.reject(new HomeostatError("LEDGER_BUSY", text, { queuedBytes, maxQueuedBytes }));
    }
    const settled = Promise.withResolvers<Appended>();
    const pieces = [...toPieces(entries, settled)];
    if (isUrgent) waiting.unshift(...pieces);
    else waiting.push(...pieces);
    queuedBytes += entries.payload.length;
    // After this turn, so that appends made together share a block.
    queueMicrotask(send);
    return settled.promise;
  }

  function send(): void {
    while (closed === undefined && waiting.length > 0 && blocks.length < maxBlocksUnderWay) {
      const pieces = takeBlock(waiting);
      const payload = Buffer.concat(pieces.map((piece) => piece.payload));
      const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
      blocks.push(pieces);
      port.postMessage({ kind: "append", payload, count } satisfies ToLog);
    }
    if (isCloseWanted && waiting.length === 0 && blocks.length === 0)
      port.postMessage({ kind: "close" } satisfies ToLog);
  }

  return {
    start(first) {
      head = first;
    },
    append,
    committed({ head: signed, count, durationMs }) {
      let index = signed.size - count;
      head = signed;
      onCommitted?.({ count, durationMs });
      for (const piece of blocks.shift() ?? []) {
        if (piece.isFirst) piece.first.index = index;
        index += piece.count;
        queuedBytes -= piece.payload.length;
        piece.last?.resolve({ firstIndex: piece.first.index, head: signed });
      }
      send();
    },
    fail(error) {
      if (closed !== undefined) return;
      closed = error;
      for (const piece of [...blocks.flat(), ...waiting]) piece.last?.reject(error);
      blocks.length = 0;
      waiting.length = 0;
    },
    close() {
      if (isCloseWanted || closed !== undefined) return;
      isCloseWanted = true;
      send();
    },
    head: () => head,
  };
}

/** Removes from the front of the queue what goes into the next block: at least one piece. */
function takeBlock(waiting: Piece[]): readonly Piece[] {
  let bytes = 0;
  let entries = 0;
  let count = 0;
  for (const piece of waiting) {
    if (
      count > 0 &&
      (bytes + piece.payload.length > maxBlockBytes || entries + piece.count > maxBlockEntries)
    )
      break;
    bytes += piece.payload.length;
    entries += piece.count;
    count += 1;
  }
  return waiting.splice(0, count);
}

function* toPieces(
  { payload, count }: FramedEntries,
  settled: PromiseWithResolvers<Appended>,
): Generator<Piece> {
  const first = { index: 0 };
  let start = 0;
  let at = 0;
  let entries = 0;
  for (let done = 0; done < count; done += 1) {
    const next = at + 2 + payload.readUInt16BE(at);
    if (entries > 0 && (next - start > maxBlockBytes || entries === maxBlockEntries)) {
      yield {
        payload: payload.subarray(start, at),
        count: entries,
        first,
        isFirst: start === 0,
        last: undefined,
      };
      start = at;
      entries = 0;
    }
    at = next;
    entries += 1;
  }
  yield { payload: payload.subarray(start, at), count: entries, first, isFirst: start === 0, last: settled };
}

function unavailable(why: string): HomeostatError {
  return new HomeostatError("LEDGER_UNAVAILABLE", `The ledger cannot be appended to: ${why}`);
}
