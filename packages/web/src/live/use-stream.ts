/** Follows a server stream while the page can be seen, and remembers where it was when it could not. */
import { useEffect, useRef } from "react";
import type { OpenStream, StreamEvent } from "../api/calls.ts";
import { followStream, type StreamState } from "./follow-stream.ts";

export interface StreamSource {
  readonly open: OpenStream;
  /** Resume after this event id. */
  readonly after?: number;
}

export interface StreamHandlers {
  readonly onEvent: (event: StreamEvent) => void;
  readonly onState: (state: StreamState, status: number) => void;
}

/**
 * A hidden tab lets go of its connection: browsers allow six to one host over HTTP/1.1, and three forgotten tabs with two
 * streams each would block every other request. `source` null follows nothing; a new object starts anew.
 */
export function useStream(source: StreamSource | null, handlers: StreamHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (source === null) return undefined;
    let after: string | number | undefined = source.after;
    let hasEnded = false;
    let connection = new AbortController();
    const connect = (): void => {
      connection.abort();
      if (hasEnded || document.hidden) return;
      connection = new AbortController();
      void followStream({
        open: source.open,
        after,
        signal: connection.signal,
        onEvent: (event) => {
          if (event.id !== undefined) after = event.id;
          latest.current.onEvent(event);
        },
        onState: (state, status) => {
          hasEnded = state === "ended";
          latest.current.onState(state, status);
        },
        sleep: sleepUntil,
      });
    };
    connect();
    document.addEventListener("visibilitychange", connect);
    return () => {
      document.removeEventListener("visibilitychange", connect);
      connection.abort();
    };
  }, [source]);
}

/** Resolves after the time or when the signal aborts, whichever comes first. */
function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
