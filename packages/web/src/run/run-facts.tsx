/** The line of facts below a run's name. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { RunDetail } from "../api/contract.ts";
import { formatDuration } from "../format/duration.ts";
import { shortId } from "../format/quantity.ts";
import { useNow } from "../live/now.ts";
import { runDurationMs } from "../runs/run-time.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Ago } from "../ui/moment.tsx";
import { endedStates } from "../ui/state.ts";

export function RunFacts({ run }: { readonly run: RunDetail }): ReactElement {
  const now = useNow(250, run.startedAt !== null && !endedStates.has(run.state));
  const durationMs = runDurationMs(run, now);
  return (
    <ul className="run-facts">
      <li>
        <code title={run.id}>{shortId(run.id)}</code>
        <CopyButton text={run.id} what="run id" />
      </li>
      <li>
        asked by {run.requester}, <Ago time={run.createdAt} />
      </li>
      {durationMs !== null && (
        <li>
          {endedStates.has(run.state) ? "took " : ""}
          <strong>{formatDuration(durationMs)}</strong>
          {endedStates.has(run.state) ? "" : " so far"}
        </li>
      )}
      <li>
        {run.stepsDone} of {run.stepsTotal} steps
      </li>
      {run.progress !== null && !endedStates.has(run.state) && (
        <li>
          {run.progress.percent !== null && `${run.progress.percent} %, `}
          {run.progress.text}
        </li>
      )}
      {(run.attempts > 1 || run.maxAttempts > 1) && (
        <li>
          try {run.attempts} of {run.maxAttempts}
        </li>
      )}
      {run.priority !== "normal" && <li>{run.priority} priority</li>}
      {run.parent !== null && (
        <li>
          {run.origin === null ? "a step of" : run.origin.kind === "fork" ? "forked from" : "made again from"}{" "}
          <Link to="/runs/$runId" params={{ runId: run.parent }} search={{}}>
            {shortId(run.parent)}
          </Link>
        </li>
      )}
      {run.labels.map((label) => (
        <li key={label}>
          <Link className="chip" to="/" search={{ label }} title={`All runs labelled ${label}`}>
            {label}
          </Link>
        </li>
      ))}
    </ul>
  );
}
