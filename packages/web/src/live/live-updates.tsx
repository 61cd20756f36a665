/** Follows /v1/stream and writes what it tells into the cache, so that every open list is live. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import {
  createContext,
  useContext,
  useMemo,
  useRef,
  useState,
  type ReactElement,
  type ReactNode,
} from "react";
import { openAllStream, type StreamEvent } from "../api/calls.ts";
import type { Approval, RunDetail, RunSummary } from "../api/contract.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { keys } from "../api/queries.ts";
import { applyApproval, applyRun, type RunFilter, type RunPages } from "./apply-run.ts";
import type { StreamState } from "./follow-stream.ts";
import { useStream, type StreamSource } from "./use-stream.ts";

const everything: StreamSource = { open: openAllStream };
const StreamStateContext = createContext<StreamState>("connecting");

export function useStreamState(): StreamState {
  return useContext(StreamStateContext);
}

export function LiveUpdates({ children }: { readonly children: ReactNode }): ReactElement {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  const wasLost = useRef(false);
  const later = useMemo(() => createThrottle(1_000), []);
  useStream(everything, {
    onEvent: (event) => {
      applyEvent(client, event);
      later(() => {
        void client.invalidateQueries({ queryKey: keys.status });
        void client.invalidateQueries({ queryKey: keys.artifacts });
        void client.invalidateQueries({ queryKey: operationKeys.queue });
        void client.invalidateQueries({ queryKey: operationKeys.schedules });
      });
    },
    onState: (next, status) => {
      setState(next);
      if (status === 401) client.setQueryData(keys.session, null);
      if (next === "offline") wasLost.current = true;
      // Changes during the gap were not told; whatever is on screen is asked for again.
      if (next === "live" && wasLost.current) {
        wasLost.current = false;
        void client.invalidateQueries();
      }
    },
  });
  return <StreamStateContext value={state}>{children}</StreamStateContext>;
}

/** The server made the data by the same contract (its own tests prove that against openapi.json). */
function applyEvent(client: QueryClient, { event, data }: StreamEvent): void {
  if (event === "run") takeRun(client, data as RunSummary);
  if (event === "approval") takeApproval(client, data as Approval);
}

/** Also used by the run's own stream. */
export function takeRun(client: QueryClient, run: RunSummary): void {
  for (const [key, data] of client.getQueriesData<RunPages>({ queryKey: keys.runLists })) {
    const filter = key[1] as RunFilter | undefined;
    if (data !== undefined && filter !== undefined) client.setQueryData(key, applyRun(data, run, filter));
  }
  client.setQueryData<RunDetail>(keys.run(run.id), (detail) =>
    detail === undefined || detail.headSeq > run.headSeq ? detail : { ...detail, ...run },
  );
}

function takeApproval(client: QueryClient, approval: Approval): void {
  client.setQueryData<readonly Approval[]>(keys.waiting, (waiting) => applyApproval(waiting ?? [], approval));
  void client.invalidateQueries({ queryKey: keys.answered });
  void client.invalidateQueries({ queryKey: keys.run(approval.runId) });
}

/** Runs the newest of many requests at most once per `everyMs`, the last one always. */
export function createThrottle(everyMs: number): (work: () => void) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pending: (() => void) | undefined;
  return (work) => {
    pending = work;
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      const run = pending;
      pending = undefined;
      run?.();
    }, everyMs);
  };
}
