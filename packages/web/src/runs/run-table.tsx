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

/** Which runs are chosen for a command, and how that changes. */
export interface RunSelection {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

interface Props {
  readonly runs: readonly RunSummary[];
  readonly selection?: RunSelection;
}

export function RunTable({ runs, selection }: Props): ReactElement {
  const isMoving = runs.some((run) => !endedStates.has(run.state));
  const now = useNow(1_000, isMoving);
  return (
    <div className="panel runs">
      <table>
        <thead>
          <tr>
            {selection !== undefined && (
              <th scope="col" className="runs-tick">
                <ChooseAll runs={runs} selection={selection} />
              </th>
            )}
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
            <Row key={run.id} run={run} now={now} selection={selection} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ChooseAll({
  runs,
  selection: { chosen, onChange },
}: {
  readonly runs: readonly RunSummary[];
  readonly selection: RunSelection;
}): ReactElement {
  const count = runs.filter(({ id }) => chosen.has(id)).length;
  return (
    <input
      type="checkbox"
      aria-label="Choose every run shown"
      checked={count === runs.length}
      ref={(element) => {
        if (element !== null) element.indeterminate = count > 0 && count < runs.length;
      }}
      onChange={() => onChange(count === runs.length ? new Set() : new Set(runs.map(({ id }) => id)))}
    />
  );
}

interface RowProps {
  readonly run: RunSummary;
  readonly now: number;
  readonly selection: RunSelection | undefined;
}

function Row({ run, now, selection }: RowProps): ReactElement {
  const look = runLooks[run.state];
  const durationMs = runDurationMs(run, now);
  return (
    <tr data-chosen={selection?.chosen.has(run.id)}>
      {selection !== undefined && (
        <td className="runs-tick">
          <input
            type="checkbox"
            aria-label={`Choose ${run.workflow.name} ${shortId(run.id)}`}
            checked={selection.chosen.has(run.id)}
            onChange={() => selection.onChange(toggled(selection.chosen, run.id))}
          />
        </td>
      )}
      <td>
        <Name run={run} />
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
        {run.progress !== null && !endedStates.has(run.state) && (
          <p className="runs-why" title={run.progress.text}>
            {run.progress.percent !== null && `${run.progress.percent} %, `}
            {run.progress.text}
          </p>
        )}
      </td>
      <td className="runs-wide">{run.requester}</td>
      <td className="runs-wide quiet">
        <Ago time={run.createdAt} />
      </td>
      <td className="runs-number">{durationMs === null ? "–" : formatDuration(durationMs)}</td>
    </tr>
  );
}

function Name({ run }: { readonly run: RunSummary }): ReactElement {
  return (
    <div className="runs-name">
      <StateGlyph look={runLooks[run.state]} size={18} />
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
  );
}

function toggled(chosen: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(chosen);
  if (!after.delete(id)) after.add(id);
  return after;
}

function Why({ run, now }: { readonly run: RunSummary; readonly now: number }): ReactElement | null {
  if (run.fault !== null && !endedStates.has(run.state)) {
    return (
      <p className="runs-why" title={run.fault.hint}>
        {run.fault.message}
      </p>
    );
  }
  if (run.waitingFor !== null) {
    const { reason } = run.waitingFor;
    return (
      <p className="runs-why" title={reason}>
        {waitingText(run.waitingFor, now)}
        {reason !== undefined && `: ${reason}`}
      </p>
    );
  }
  if (run.error !== null) {
    return (
      <p className="runs-why" title={run.error.message}>
        {run.error.message}
      </p>
    );
  }
  return null;
}
