/** Runs of thousands of steps: the first thousand come with the run, the others in pages when somebody wants them. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import type { RunDetail, StepView } from "../api/contract.ts";
import { runApi } from "../api/run-calls.ts";
import { formatCount } from "../format/quantity.ts";
import { Button } from "../ui/button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { endedStates } from "../ui/state.ts";

/** So many more with each press: ten pages, which a browser still lays out quickly. */
const atOnce = 2_000;
/** A run that goes on changes at its end, which no event of the stream carries whole. */
const refreshMs = 5_000;

export interface LongRun {
  /** The run with the steps fetched so far. */
  readonly run: RunDetail;
  /** Null for a run that is shown whole. */
  readonly note: ReactElement | null;
}

export function useLongRun(given: RunDetail): LongRun {
  const [wanted, setWanted] = useState(0);
  const isLive = !endedStates.has(given.state);
  const query = useQuery({
    queryKey: ["run-steps", given.id, wanted],
    queryFn: ({ signal }) => readSteps(given.id, wanted, signal),
    enabled: wanted > 0,
    placeholderData: keepPreviousData,
    ...(isLive ? { refetchInterval: refreshMs } : { staleTime: Number.POSITIVE_INFINITY }),
  });
  const steps = query.data ?? given.steps;
  const left = given.stepsListed - steps.length;
  const run = query.data === undefined ? given : { ...given, steps: query.data };
  if (given.stepsListed <= given.steps.length) return { run: given, note: null };
  return {
    run,
    note: (
      <div className="long-run" role="status">
        <p className="small">
          Shows {steps.length.toLocaleString("en-GB")} of {formatCount(given.stepsListed, "step")}.
        </p>
        {left > 0 && (
          <Button icon="down" busy={query.isFetching} onClick={() => setWanted(steps.length + atOnce)}>
            Show {formatCount(Math.min(left, atOnce), "more", "more")}
          </Button>
        )}
        {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      </div>
    ),
  };
}

async function readSteps(id: string, wanted: number, signal: AbortSignal): Promise<readonly StepView[]> {
  const steps: StepView[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await runApi.steps(id, cursor, signal);
    steps.push(...page.data);
    if (page.nextCursor === null || steps.length >= wanted) return steps;
    cursor = page.nextCursor;
  }
}
