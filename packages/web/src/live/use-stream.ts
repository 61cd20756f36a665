/** Follows a server stream while the page can be seen, and remembers where it was when it could not. */
import { useEffect, useRef } from "react";
import { followStream, type StreamMessage, type StreamState } from "./sse.ts";

export interface StreamHandlers {
  readonly onMessage: (message: StreamMessage) => boolean | undefined;
  readonly onState: (state: StreamState, status: number) => void;
}

/**
 * A hidden tab lets go of its connection: browsers allow six to one host over HTTP/1.1, and three forgotten tabs with two
 * streams each would block every other request. `address` null follows nothing.
 */
export function useStream(address: string | null, handlers: StreamHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (address === null) return undefined;
    let lastEventId: string | undefined;
    let ended = false;
    let connection = new AbortController();
    const connect = (): void => {
      connection.abort();
      if (ended || document.hidden) return;
      connection = new AbortController();
      const options = {
        address,
        signal: connection.signal,
        onMessage: (message: StreamMessage): boolean | undefined => {
          if (message.id !== undefined) lastEventId = message.id;
          return latest.current.onMessage(message);
        },
        onState: (state: StreamState, status: number): void => {
          ended = state === "ended";
          latest.current.onState(state, status);
        },
      };
      void followStream(lastEventId === undefined ? options : { ...options, lastEventId }, {
        fetch: (input, init) => fetch(input, init),
        sleep: sleepUnlessAborted,
        random: Math.random,
      });
    };
    connect();
    document.addEventListener("visibilitychange", connect);
    return () => {
      document.removeEventListener("visibilitychange", connect);
      connection.abort();
    };
  }, [address]);
}

function sleepUnlessAborted(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("aborted"));
    });
  });
}
