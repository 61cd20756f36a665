/** What watchers of runs are told as it happens: a bounded, lossy-by-disconnect hub. The journal stays the truth. */
import type { RunRow } from "../../queue/run-row.ts";
import type { RunEvent } from "../journal/event.ts";

export type LiveMessage =
  | {
      readonly kind: "events";
      readonly runId: string;
      readonly events: readonly RunEvent[];
      readonly row: RunRow;
    }
  | { readonly kind: "progress"; readonly runId: string; readonly step: string; readonly text: string };

/** Listeners must not throw or block; they are called in order of registration. */
export type LiveListener = (message: LiveMessage) => void;

export interface LiveRuns {
  publish(message: LiveMessage): void;
  /** Messages of one run, or of all when `runId` is null. Returns the unsubscriber. */
  subscribe(runId: string | null, listener: LiveListener): () => void;
}

export function createLiveRuns(): LiveRuns {
  const listeners = new Map<string | null, Set<LiveListener>>();
  return {
    publish(message) {
      for (const key of [message.runId, null]) {
        for (const listener of listeners.get(key) ?? []) listener(message);
      }
    },
    subscribe(runId, listener) {
      const set = listeners.get(runId) ?? new Set();
      listeners.set(runId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(runId) === set) listeners.delete(runId);
      };
    },
  };
}
