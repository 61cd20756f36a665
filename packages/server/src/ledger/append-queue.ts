/** Appends on their way to the log thread: gathered into blocks while earlier ones are being synced, bounded, settled in order. */
import { HomeostatError } from "../base/error.ts";
import type { FramedEntries } from "./entry.ts";
import { unavailable } from "./ledger-error.ts";
import type { FromLog, ToLog } from "./log-messages.ts";
import type { SignedHead } from "./log.ts";

export interface Appended {
  /** Index of the first entry of the append; the others follow, but entries of other appends may lie between blocks. */
  readonly firstIndex: number;
  /** The checkpoint that covers the last of them. */
  readonly head: SignedHead;
}

export interface AppendQueueDeps {
  /** Bytes that may wait for their checkpoint; an append beyond is refused with LEDGER_BUSY. */
  readonly maxQueuedBytes: number;
  /** To the thread, which answers each append in order. */
  readonly send: (message: ToLog) => void;
  /** Called after each commit, before the appends of it resolve. Must not throw. */
  readonly onCommitted: (commit: { readonly count: number; readonly durationMs: number }) => void;
}

export interface AppendQueue {
  /** Of the newest commit. */
  readonly head: () => SignedHead;
  start(head: SignedHead): void;
  /** Sent after this turn of the event loop, so that appends made together share a block. */
  append(entries: FramedEntries, isUrgent: boolean): Promise<Appended>;
  committed(message: FromLog & { readonly kind: "committed" }): void;
  /** Rejects what has not been sent yet. */
  discard(error: HomeostatError): void;
  /** Rejects everything, now and later. */
  fail(error: HomeostatError): void;
  /** Takes no more; the thread is told to close after the last block. */
  close(): void;
}

/** More entries or bytes in one block would make each of them wait longer than 10 ms for its checkpoint. */
const maxBlockEntries = 2048;
const maxBlockBytes = 1024 * 1024;
/** One block is being written while the next one lies ready in the thread's port. */
const maxBlocksUnderWay = 2;

/** A piece of an append that fits a block; the last piece of an append settles it. */
interface Piece extends FramedEntries {
  readonly settle: PromiseWithResolvers<Appended>;
  /** Shared by the pieces of one append. */
  readonly first: { index: number };
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export function createAppendQueue({ maxQueuedBytes, send, onCommitted }: AppendQueueDeps): AppendQueue {
  const waiting: Piece[] = [];
  const sent: (readonly Piece[])[] = [];
  let queuedBytes = 0;
  let head: SignedHead = { size: 0, root: "", checkpoint: "" };
  let refusal: HomeostatError | undefined;
  let isClosing = false;

  function sendBlocks(): void {
    while (waiting.length > 0 && sent.length < maxBlocksUnderWay) {
      const pieces = takeBlock(waiting);
      sent.push(pieces);
      send({ kind: "append", ...joined(pieces) });
    }
    if (isClosing && waiting.length === 0 && sent.length === 0) send({ kind: "close" });
  }

  function reject(pieces: readonly Piece[], error: HomeostatError): void {
    for (const { settle, payload } of pieces) {
      queuedBytes -= payload.length;
      settle.reject(error);
    }
  }

  return {
    head: () => head,
    start: (first) => void (head = first),
    async append(entries, isUrgent) {
      if (refusal !== undefined) throw refusal;
      if (entries.count === 0) return { firstIndex: head.size, head };
      if (!isUrgent && queuedBytes + entries.payload.length > maxQueuedBytes)
        throw full(queuedBytes, entries, maxQueuedBytes);
      queuedBytes += entries.payload.length;
      const { pieces, appended } = cut(entries);
      waiting.splice(isUrgent ? 0 : waiting.length, 0, ...pieces);
      queueMicrotask(sendBlocks);
      return await appended;
    },
    committed({ head: signed, count, durationMs }) {
      head = signed;
      onCommitted({ count, durationMs });
      const pieces = sent.shift()!; // Every commit answers a block that was sent.
      for (const { payload } of pieces) queuedBytes -= payload.length;
      resolve(pieces, signed);
      sendBlocks();
    },
    discard: (error) => reject(waiting.splice(0), error),
    fail(error) {
      refusal ??= error;
      reject([...sent.splice(0).flat(), ...waiting.splice(0)], error);
    },
    close() {
      if (refusal !== undefined) return;
      refusal = unavailable("it is being closed");
      isClosing = true;
      sendBlocks();
    },
  };
}

/** The pieces are one block, the newest under this head. */
function resolve(pieces: readonly Piece[], head: SignedHead): void {
  let index = head.size - sum(pieces);
  for (const { settle, first, isFirst, isLast, count } of pieces) {
    if (isFirst) first.index = index;
    if (isLast) settle.resolve({ firstIndex: first.index, head });
    index += count;
  }
}

function joined(pieces: readonly Piece[]): { readonly payload: Buffer<ArrayBuffer>; readonly count: number } {
  const payload = Buffer.concat(pieces.map((piece) => piece.payload));
  return { payload, count: sum(pieces) };
}

function sum(pieces: readonly Piece[]): number {
  return pieces.reduce((total, piece) => total + piece.count, 0);
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

/** An append in pieces that fit a block; the last one settles it. */
function cut(entries: FramedEntries): {
  readonly pieces: Iterable<Piece>;
  readonly appended: Promise<Appended>;
} {
  const settle = Promise.withResolvers<Appended>();
  return { pieces: toPieces(entries, settle), appended: settle.promise };
}

function* toPieces({ payload, count }: FramedEntries, settle: Piece["settle"]): Generator<Piece> {
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
        settle,
        first,
        isFirst: start === 0,
        isLast: false,
      };
      start = at;
      entries = 0;
    }
    at = next;
    entries += 1;
  }
  yield {
    payload: payload.subarray(start, at),
    count: entries,
    settle,
    first,
    isFirst: start === 0,
    isLast: true,
  };
}

function full(queuedBytes: number, { payload }: FramedEntries, maxQueuedBytes: number): HomeostatError {
  const text = `The ledger's queue holds ${queuedBytes} bytes; ${payload.length} more do not fit its ${maxQueuedBytes}`;
  return new HomeostatError("LEDGER_BUSY", text, { queuedBytes, maxQueuedBytes });
}
