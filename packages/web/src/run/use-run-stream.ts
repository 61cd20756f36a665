/** Keeps one run's page live: the journal's new events, the state, and what a running step says about its progress. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { openRunStream } from "../api/calls.ts";
import type { RunDetail, RunEvent, RunSummary } from "../api/contract.ts";
import { keys } from "../api/queries.ts";
import { createThrottle, takeRun } from "../live/live-updates.tsx";
import { useStream, type StreamSource } from "../live/use-stream.ts";
import { endedStates } from "../ui/state.ts";
import { appendEvent, eventsKey } from "./run-events.ts";

/** Step path to the last line it reported. */
export type ProgressLines = Readonly<Record<string, string>>;

/** The whole run is fetched again at most this often, however many events come; a large one less often. */
const refetchMs = 300;
const refetchLargeMs = 1_500;
const largeSteps = 200;

export function useRunStream(run: RunDetail | undefined, runId: string): ProgressLines {
  const client = useQueryClient();
  const [lines, setLines] = useState<ProgressLines>({});
  const isLarge = (run?.steps.length ?? 0) > largeSteps;
  const later = useMemo(() => createThrottle(isLarge ? refetchLargeMs : refetchMs), [isLarge]);
  const isLive = run !== undefined && !endedStates.has(run.state);
  const source = useSource(run, runId, isLive);
  useEffect(() => setLines({}), [runId]);
  useStream(source, {
    onEvent: ({ event, data }) => {
      if (event === "progress") {
        const line = data as { readonly step: string; readonly text: string };
        setLines((before) => ({ ...before, [line.step]: line.text }));
        return;
      }
      if (event === "state") takeRun(client, data as RunSummary);
      else if (event !== "end") takeEvent(client, runId, data as RunEvent);
      later(() => void client.invalidateQueries({ queryKey: keys.run(runId) }));
    },
    onState: (state) => {
      if (state === "live") later(() => void client.invalidateQueries({ queryKey: keys.run(runId) }));
    },
  });
  return lines;
}

/** The same object while the run lives, so that new events do not reconnect; made anew when a dead run is revived. */
function useSource(run: RunDetail | undefined, runId: string, isLive: boolean): StreamSource | null {
  const kept = useRef<{ readonly runId: string; readonly source: StreamSource } | null>(null);
  if (!isLive || run === undefined) kept.current = null;
  else if (kept.current?.runId !== runId) {
    kept.current = { runId, source: { open: openRunStream(runId), after: run.headSeq } };
  }
  return kept.current?.source ?? null;
}

function takeEvent(client: QueryClient, runId: string, event: RunEvent): void {
  const known = client.getQueryData<readonly RunEvent[]>(eventsKey(runId));
  if (known === undefined) return;
  const after = appendEvent(known, event);
  if (after === null) void client.invalidateQueries({ queryKey: eventsKey(runId) });
  else client.setQueryData(eventsKey(runId), after);
}
