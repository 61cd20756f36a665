/** Server-sent events over fetch with reconnect and resume. Not EventSource: that drops events whose names it was not told. */
import { createParser } from "eventsource-parser";

export interface StreamMessage {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

export type StreamState = "connecting" | "live" | "offline" | "ended";

export interface StreamDeps {
  readonly fetch: typeof fetch;
  /** Resolves after `delayMs` or rejects when the signal aborts. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1; spreads reconnects of many tabs. */
  readonly random: () => number;
}

export interface StreamOptions {
  readonly address: string;
  /** Resume after this event id. */
  readonly lastEventId?: string;
  readonly signal: AbortSignal;
  /** Called in order, never concurrently. Must not throw. Returning `false` ends the stream for good. */
  readonly onMessage: (message: StreamMessage) => boolean | undefined;
  readonly onState: (state: StreamState, status: number) => void;
}

export const firstDelayMs = 500;
export const longestDelayMs = 10_000;

/** Follows a stream until the signal aborts, `onMessage` answers false, or the server refuses (4xx). Never rejects. */
export async function followStream(options: StreamOptions, deps: StreamDeps): Promise<void> {
  let lastEventId = options.lastEventId;
  let failures = 0;
  while (!options.signal.aborted) {
    options.onState("connecting", 0);
    const outcome = await readOnce(options, deps, lastEventId, (message) => {
      failures = 0;
      if (message.id !== undefined) lastEventId = message.id;
      return options.onMessage(message);
    });
    if (options.signal.aborted) return;
    if (outcome.kind === "ended" || outcome.kind === "refused") {
      options.onState("ended", outcome.kind === "refused" ? outcome.status : 200);
      return;
    }
    failures += 1;
    options.onState("offline", 0);
    await deps.sleep(reconnectDelayMs(failures, deps.random()), options.signal).catch(() => undefined);
  }
}

/** Doubles from half a second to ten, with up to a quarter taken off so that tabs do not come back in step. */
export function reconnectDelayMs(failures: number, random: number): number {
  const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
  return Math.round(delayMs * (1 - random / 4));
}

type Outcome =
  | { readonly kind: "ended" }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "lost" };

async function readOnce(
  options: StreamOptions,
  deps: StreamDeps,
  lastEventId: string | undefined,
  take: StreamOptions["onMessage"],
): Promise<Outcome> {
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
    const response = await deps.fetch(options.address, {
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: options.signal,
    });
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      return { kind: "refused", status: response.status };
    }
    if (!response.ok || response.body === null) return { kind: "lost" };
    options.onState("live", response.status);
    return (await readBody(response.body, take)) ? { kind: "ended" } : { kind: "lost" };
  } catch {
    // Connection refused or cut, or aborted by us; the caller tells these apart by the signal.
    return { kind: "lost" };
  }
}

/** True when the reader said that it has had enough. */
async function readBody(
  body: ReadableStream<Uint8Array>,
  take: StreamOptions["onMessage"],
): Promise<boolean> {
  let enough = false;
  const parser = createParser({
    onEvent: (event) => {
      if (enough) return;
      enough = take({ event: event.event ?? "message", id: event.id, data: event.data }) === false;
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    while (!enough) {
      const chunk = await reader.read();
      if (chunk.done) return false;
      parser.feed(decoder.decode(chunk.value, { stream: true }));
    }
    return true;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
