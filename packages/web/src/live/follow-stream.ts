/** Follows a stream for as long as it makes sense, whatever happens to connection and server; says how it stands. */
import type { OpenStream, StreamEvent } from "../api/calls.ts";
import { isFinal, problemOf } from "../api/problem.ts";

export type StreamState = "connecting" | "live" | "offline" | "ended";

export interface FollowOptions {
  readonly open: OpenStream;
  /** Resume after this event id. */
  readonly after: string | number | undefined;
  readonly signal: AbortSignal;
  /** Called in order. Must not throw. */
  readonly onEvent: (event: StreamEvent) => void;
  /** `status` is the HTTP status with which the server refused for good, else 0. */
  readonly onState: (state: StreamState, status: number) => void;
  /** Resolves after the time, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The client comes back by itself after a break; this waits where it gives up: before the first connection, after an error event. */
const retryMs = 3_000;

/** Resolves when the stream ended, the server refused for good, or the signal aborted. Never rejects. */
export async function followStream(options: FollowOptions): Promise<void> {
  const { open, signal, onEvent, onState, sleep } = options;
  let after = options.after;
  onState("connecting", 0);
  while (!signal.aborted) {
    try {
      const events = open({
        after,
        signal,
        onState: (state) => onState(state === "live" ? "live" : "offline", 0),
      });
      for await (const event of events) {
        if (event.id !== undefined) after = event.id;
        onEvent(event);
      }
      if (!signal.aborted) onState("ended", 0);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (isFinal(error)) return onState("ended", problemOf(error).status);
      onState("offline", 0);
      await sleep(retryMs, signal);
    }
  }
}
