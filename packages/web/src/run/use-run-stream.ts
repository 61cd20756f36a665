/** Keeps one run's page live: the journal's new events, the state, and what a running step says about its progress. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { RunDetail, RunEvent, RunSummary } from "../api/contract.ts";
import { keys } from "../api/queries.ts";
import { createThrottle, takeRun } from "../live/live-updates.tsx";
import type { StreamMessage } from "../live/sse.ts";
import { useStream } from "../live/use-stream.ts";
import { endedStates } from "../ui/state.ts";
import { appendEvent, eventsKey } from "./run-events.ts";

/** Step path to the last line it reported. */
export type ProgressLines = Readonly<Record<string, string>>;

/** The whole run is fetched again at most this often, however many events come. */
const refetchMs = 300;

export function useRunStream(run: RunDetail | undefined, runId: string): ProgressLines {
  const client = useQueryClient();
  const [lines, setLines] = useState<ProgressLines>({});
  const later = useMemo(() => createThrottle(refetchMs), []);
  const isLive = run !== undefined && !endedStates.has(run.state);
  const address = useAddress(run, runId, isLive);
  useEffect(() => setLines({}), [runId]);
  useStream(address, {
    onMessage: (message) => {
      if (message.event === "progress") {
        const line = JSON.parse(message.data) as { readonly step: string; readonly text: string };
        setLines((before) => ({ ...before, [line.step]: line.text }));
        return undefined;
      }
      if (message.event === "state") takeRun(client, JSON.parse(message.data) as RunSummary);
      else if (message.id !== undefined) takeEvent(client, runId, message);
      later(() => void client.invalidateQueries({ queryKey: keys.run(runId) }));
      return message.event === "end" ? false : undefined;
    },
    onState: (state) => {
      if (state === "live") later(() => void client.invalidateQueries({ queryKey: keys.run(runId) }));
    },
  });
  return lines;
}

/** Fixed while the run lives, so that new events do not reconnect; made anew when a dead run is revived. */
function useAddress(run: RunDetail | undefined, runId: string, isLive: boolean): string | null {
  const address = useRef<{ readonly runId: string; readonly text: string } | null>(null);
  if (!isLive || run === undefined) address.current = null;
  else if (address.current?.runId !== runId) {
    address.current = { runId, text: `/v1/runs/${encodeURIComponent(runId)}/stream?after=${run.headSeq}` };
  }
  return address.current?.text ?? null;
}

function takeEvent(client: QueryClient, runId: string, message: StreamMessage): void {
  const event = JSON.parse(message.data) as RunEvent;
  const known = client.getQueryData<readonly RunEvent[]>(eventsKey(runId));
  if (known === undefined) return;
  const after = appendEvent(known, event);
  if (after === null) void client.invalidateQueries({ queryKey: eventsKey(runId) });
  else client.setQueryData(eventsKey(runId), after);
}
