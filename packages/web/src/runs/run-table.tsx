/** Runs as rows: state, progress, what they wait for or failed on, who asked, how long. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { RunSummary } from "../api/contract.ts";
import { formatDuration } from "../format/duration.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { useNow } from "../live/now.ts";
import { Ago } from "../ui/moment.tsx";
import { Progress } from "../ui/progress.tsx";
import { endedStates, runLooks } from "../ui/state.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { runDurationMs } from "./run-time.ts";
import { waitingText } from "./waiting-text.ts";

export function RunTable({ runs }: { readonly runs: readonly RunSummary[] }): ReactElement {
  const isMoving = runs.some((run) => !endedStates.has(run.state));
  const now = useNow(1_000, isMoving);
  return (
    <div className="panel runs">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            <th scope="col" className="runs-steps">
              Steps
            </th>
            <th scope="col" className="runs-wide">
              Asked by
            </th>
            <th scope="col" className="runs-wide">
              Created
            </th>
            <th scope="col" className="runs-number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Row key={run.id} run={run} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run, now }: { readonly run: RunSummary; readonly now: number }): ReactElement {
  const look = runLooks[run.state];
  const durationMs = runDurationMs(run, now);
  return (
    <tr>
      <td>
        <div className="runs-name">
          <StateGlyph look={look} size={18} />
          <div>
            <Link className="runs-link" to="/runs/$runId" params={{ runId: run.id }} search={{}}>
              {run.workflow.name}
            </Link>
            <div className="runs-sub">
              <code>{shortId(run.id)}</code>
              {run.attempts > 1 && <span>try {run.attempts}</span>}
              {run.artifactCount > 0 && <span>{formatCount(run.artifactCount, "artifact")}</span>}
              {run.labels.map((label) => (
                <span className="chip" key={label}>
                  {label}
                </span>
              ))}
            </div>
          </div>
        </div>
      </td>
      <td>
        <span className="runs-state" data-tone={look.tone}>
          {look.label}
        </span>
        <Why run={run} now={now} />
      </td>
      <td className="runs-steps">
        <Progress
          done={run.stepsDone}
          total={run.stepsTotal}
          tone={run.state === "COMPLETED" ? "idle" : look.tone}
          label={`Steps of ${run.workflow.name}`}
        />
      </td>
      <td className="runs-wide">{run.requester}</td>
      <td className="runs-wide quiet">
        <Ago time={run.createdAt} />
      </td>
      <td className="runs-number">{durationMs === null ? "–" : formatDuration(durationMs)}</td>
    </tr>
  );
}

function Why({ run, now }: { readonly run: RunSummary; readonly now: number }): ReactElement | null {
  if (run.waitingFor !== null) return <p className="runs-why">{waitingText(run.waitingFor, now)}</p>;
  if (run.error !== null) {
    return (
      <p className="runs-why" title={run.error.message}>
        {run.error.message}
      </p>
    );
  }
  return null;
}
