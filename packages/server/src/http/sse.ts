/** Server-sent events (WHATWG HTML section 9.2): ids for resume, a heartbeat, and an end for readers that are too slow. */
import type { ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";

export interface SseEvent {
  /** Sent back by the reader as Last-Event-ID after a break; leave out for events that cannot be resumed from. */
  readonly id?: string | number;
  /** Event name; `message` when absent. */
  readonly event?: string;
  /** Serialized as one line of JSON. */
  readonly data: unknown;
}

/** What an SSE handler writes to. Every method is harmless after the end. */
export interface SseStream {
  /** The reader's Last-Event-ID, if it resumes. */
  readonly lastEventId: string | undefined;
  /** Aborted when the reader is gone, was too slow, or the server stops. A handler returns soon after. */
  readonly signal: AbortSignal;
  /**
   * Sends the answer's head. Call it once the request is known to be answerable; what is thrown before becomes an ordinary
   * problem document. `send` opens too.
   */
  open(): void;
  /** Queues one event. When more than the buffer's bound waits for the reader, the stream ends: the reader resumes by id. */
  send(event: SseEvent): void;
  /** Resolves when little waits for the reader (or the stream ended): await it between pages when replaying history. */
  drained(): Promise<void>;
}

/** The server's side of a stream. */
export interface SseControl extends SseStream {
  readonly isOpen: boolean;
  /** Ends it with a comment that says why; `reason` is shown to the reader. May be called twice. */
  end(reason?: string): void;
}

export interface SseOptions {
  readonly response: ServerResponse;
  readonly lastEventId: string | undefined;
  /** Takes the response over from the framework and gives the headers to send. Called once, at the opening. */
  readonly takeOver: () => Readonly<Record<string, string | string[] | number | undefined>>;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Bytes that may wait for a slow reader. */
  readonly maxBufferedBytes: number;
}

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A stream ends with its connection; kept alive it would hold up the server's stop.
  connection: "close",
  // nginx and its kin hold answers back unless told not to.
  "x-accel-buffering": "no",
};

/** A reader that accepts nothing for this long after the end is cut off. */
const flushGraceMs = 2_000;
/** How long a reader waits before it comes back, sent once as `retry`. */
const reconnectMs = 1_000;

export function createSseStream(options: SseOptions): SseControl {
  const { response } = options;
  const ended = new AbortController();
  const closed = new AbortController();
  let isOpen = false;
  response.once("close", () => {
    closed.abort();
    finish("the reader is gone");
  });
  // A reset connection is the reader's way to leave; `close` follows and ends the stream.
  response.on("error", () => undefined);

  function finish(reason: string): void {
    if (!ended.signal.aborted)
      ended.abort(new HomeostatError("REQUEST_CONFLICT", `The stream ended: ${reason}`));
  }

  function open(): void {
    if (isOpen || ended.signal.aborted) return;
    isOpen = true;
    const headers = options.takeOver();
    response.writeHead(200, { ...headers, ...streamHeaders });
    response.write(`retry: ${reconnectMs}\n\n`);
    void beat();
  }

  async function beat(): Promise<void> {
    while (await sleeps(options.clock, options.heartbeatMs, ended.signal)) write(": still here\n\n");
  }

  function write(text: string): void {
    if (ended.signal.aborted) return;
    response.write(text);
    if (response.writableLength > options.maxBufferedBytes) end("too slow; come back with Last-Event-ID");
  }

  function end(reason = "done"): void {
    if (ended.signal.aborted) return;
    finish(reason);
    if (!isOpen) return;
    response.end(`: ${reason}\n\n`);
    void sleeps(options.clock, flushGraceMs, closed.signal).then(() => response.destroy());
  }

  return {
    lastEventId: options.lastEventId,
    signal: ended.signal,
    get isOpen() {
      return isOpen;
    },
    open,
    end,
    send(event) {
      open();
      write(formatEvent(event));
    },
    drained: () => waitForDrain(response, ended.signal),
  };
}

/** The wire form. Names and ids are ours and never hold line ends; data is JSON, which escapes them. */
export function formatEvent(event: SseEvent): string {
  const id = event.id === undefined ? "" : `id: ${event.id}\n`;
  const name = event.event === undefined ? "" : `event: ${event.event}\n`;
  return `${id}${name}data: ${JSON.stringify(event.data)}\n\n`;
}

/** True after the time, false when the signal came first. */
function sleeps(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

function waitForDrain(response: ServerResponse, ended: AbortSignal): Promise<void> {
  if (!response.writableNeedDrain || ended.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      ended.removeEventListener("abort", done);
      resolve();
    };
    response.on("drain", done);
    ended.addEventListener("abort", done);
  });
}
