/** A live stream as an async iterator that comes back after breaks and goes on where it was. */
import { isApiError, toApiError, unreachable } from "./api-error.ts";
import { createSseParser } from "./sse-parser.ts";
import type { SseParser } from "./sse-parser.ts";

export interface StreamEvent {
  /** Of this event or, when it has none, of the last one before it; undefined before the first. Resume after it. */
  readonly id: string | undefined;
  readonly event: string;
  /** Parsed JSON. */
  readonly data: unknown;
}

export interface StreamOptions {
  /** Go on after this event id. */
  readonly after?: string | number | undefined;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Told whenever the connection is made (`live`) or lost (`waiting`). Must not throw. */
  readonly onState?: (state: "live" | "waiting") => void;
  /** Tries in a row without a connection before the last error is thrown; unlimited by default. */
  readonly maxTries?: number;
  /** Without a sign of life for this long the connection counts as lost. The server sends one every 15 s. */
  readonly idleMs?: number;
}

/** Opens the connection; `lastEventId` is to be sent as Last-Event-ID. */
export type OpenStream = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

const firstRetryMs = 1_000;
const maxRetryMs = 30_000;
const defaultIdleMs = 45_000;

/**
 * Ends after an event named `end` and when the signal is aborted. Throws the ApiError when the first connection fails,
 * when the server refuses for good (4xx), and when it reports an error inside the stream.
 */
export async function* readStream(
  open: OpenStream,
  baseUrl: string,
  options: StreamOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const parsers: { current?: SseParser } = {};
  let lastEventId = options.after === undefined ? undefined : String(options.after);
  let failures = 0;
  let hasConnected = false;
  const signal = options.signal ?? new AbortController().signal;
  while (!signal.aborted) {
    const connection = new AbortController();
    const leave = (): void => connection.abort();
    signal.addEventListener("abort", leave, { once: true });
    let failure: unknown;
    try {
      const response = await open(lastEventId, connection.signal);
      hasConnected = true;
      options.onState?.("live");
      const parser = createSseParser();
      parsers.current = parser;
      for await (const text of readText(response, connection, options.idleMs ?? defaultIdleMs)) {
        failures = 0;
        for (const event of parser.push(text)) {
          if (event.event === "error") throw toApiError(500, parseData(event.data));
          if (event.id !== "") lastEventId = event.id;
          yield {
            id: event.id === "" ? undefined : event.id,
            event: event.event,
            data: parseData(event.data),
          };
          if (event.event === "end") return;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      failure = isApiError(error) ? error : unreachable(baseUrl, error);
      if (!hasConnected || isFinal(failure)) throw failure;
    } finally {
      signal.removeEventListener("abort", leave);
      connection.abort();
    }
    if (signal.aborted) return;
    failures += 1;
    if (failure !== undefined && failures >= (options.maxTries ?? Infinity)) throw failure;
    options.onState?.("waiting");
    await pause(waitMs(failures, parsers.current, failure), signal);
  }
}

/** 4xx will not get better by waiting, save for "too many" and "too slow"; an `error` event is the server's last word. */
function isFinal(error: unknown): boolean {
  if (!isApiError(error) || error.status === 0) return false;
  return (
    error.status !== 408 &&
    error.status !== 429 &&
    error.status !== 502 &&
    error.status !== 503 &&
    error.status !== 504
  );
}

/** Doubles from the server's wish (or one second) to half a minute. */
function waitMs(failures: number, parser: SseParser | undefined, failure: unknown): number {
  const asked = isApiError(failure) ? failure.retryAfterMs : undefined;
  const base = parser?.retryMs() ?? firstRetryMs;
  return Math.max(asked ?? 0, Math.min(base * 2 ** (failures - 1), maxRetryMs));
}

async function* readText(
  response: Response,
  connection: AbortController,
  idleMs: number,
): AsyncGenerator<string, void, undefined> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    // Aborting the connection makes the pending read fail, which counts as a break like any other.
    const watchdog = setTimeout(() => connection.abort(), idleMs);
    try {
      const { value, done } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    } finally {
      clearTimeout(watchdog);
    }
  }
}

function parseData(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    // Ours is always JSON; a stranger's text is handed on as it is.
    return data;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
