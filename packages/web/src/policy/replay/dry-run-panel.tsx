/** Recorded actions decided again under a candidate: choose a period, watch, and look at what would have changed. */
import { Link } from "@tanstack/react-router";
import { useId, useState, type ReactElement } from "react";
import type { DryRunInput, PolicyText } from "../../api/policy-calls.ts";
import { formatCount } from "../../format/quantity.ts";
import { Button } from "../../ui/button.tsx";
import { Ago } from "../../ui/moment.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { Progress } from "../../ui/progress.tsx";
import { EffectChange } from "../effect-change.tsx";
import { actionsOf, directionOf, type Change, type ChangeGroup } from "./change-groups.ts";
import { PeriodField } from "./period-field.tsx";
import { useDryRun, type DryRunState } from "./use-dry-run.ts";
import { Prose } from "../../ui/prose.tsx";
import "./dry-run-panel.css";

interface Props {
  readonly files: readonly PolicyText[];
  /** False while the candidate has errors. */
  readonly isReady: boolean;
  readonly title: string;
}

export function DryRunPanel({ files, isReady, title }: Props): ReactElement {
  const titleId = useId();
  const [since, setSince] = useState("30d");
  const [against, setAgainst] = useState<NonNullable<DryRunInput["against"]>>("active");
  const [tried, setTried] = useState<readonly PolicyText[] | null>(null);
  const { state, start, stop } = useDryRun();
  const isRunning = state.kind === "running";
  const run = (): void => {
    setTried(files);
    start({ files, since, against, examples: 20 });
  };
  return (
    <section className="panel" aria-labelledby={titleId}>
      <header className="panel-head">
        <h2 id={titleId}>{title}</h2>
        <div className="cluster">
          <PeriodField value={since} onChange={setSince} />
          <select
            className="input dry-choice"
            aria-label="Compare with"
            value={against}
            onChange={(event) => setAgainst(event.target.value === "active" ? "active" : "recorded")}
          >
            <option value="active">against the policy in force</option>
            <option value="recorded">against what was decided then</option>
          </select>
          {isRunning ? (
            <Button icon="stop" onClick={stop}>
              Stop
            </Button>
          ) : (
            <Button icon="play" disabled={!isReady} onClick={run}>
              Try on history
            </Button>
          )}
        </div>
      </header>
      <div className="panel-body stack dry-body">
        {state.kind === "idle" && (
          <p className="quiet small">
            {isReady
              ? "Every recorded action of the period is decided again under this text. Nothing is changed."
              : "A text with errors cannot be tried."}
          </p>
        )}
        {state.kind !== "idle" && tried !== files && (
          <p className="small">The text has changed since. Try it again to see what holds now.</p>
        )}
        <Outcome state={state} />
      </div>
    </section>
  );
}

function Outcome({ state }: { readonly state: DryRunState }): ReactElement | null {
  if (state.kind === "idle") return null;
  return (
    <>
      {state.kind === "failed" && <ProblemNotice error={state.error} />}
      {state.kind === "running" && (
        <Progress done={state.runs} total={state.runsTotal} tone="moving" label="Runs read" />
      )}
      {state.kind !== "failed" && (
        <p role="status">
          <b>{formatCount(state.changed, "action")}</b> of {formatCount(state.actions, "recorded action")}{" "}
          {state.kind === "running" ? "so far would be" : "would be"} decided otherwise
          {state.runsTotal > 0 && `, in ${formatCount(state.runsTotal, "run")}`}.
        </p>
      )}
      {state.groups.map((group) => (
        <Group group={group} key={`${group.from} ${group.to}`} />
      ))}
      <Notes state={state} />
    </>
  );
}

function Group({ group }: { readonly group: ChangeGroup }): ReactElement {
  const direction = directionOf(group);
  return (
    <details className="dry-group" open={direction === "looser"}>
      <summary>
        <EffectChange from={group.from} to={group.to} />
        <b>{formatCount(group.count, "action")}</b>
        <span className="quiet small">
          {direction}:{" "}
          {actionsOf(group.examples)
            .slice(0, 4)
            .map(({ action }) => action)
            .join(", ")}
        </span>
      </summary>
      <ul>
        {group.examples.map((change) => (
          <Example change={change} key={`${change.runId} ${change.step} ${change.at}`} />
        ))}
      </ul>
      {group.count > group.examples.length && (
        <p className="quiet small">{formatCount(group.count - group.examples.length, "more", "more")}.</p>
      )}
    </details>
  );
}

function Example({ change }: { readonly change: Change }): ReactElement {
  return (
    <li>
      <p>
        <code>{change.action}</code> on <code>{change.resource || "nothing named"}</code>
      </p>
      <p className="quiet small">
        <Prose text={change.reason} />
      </p>
      <p className="small">
        <Link to="/runs/$runId" params={{ runId: change.runId }} search={{ step: change.step }}>
          step {change.step}
        </Link>{" "}
        <span className="quiet">
          <Ago time={change.at} />
        </span>
      </p>
    </li>
  );
}

function Notes({ state: { kind, report } }: { readonly state: DryRunState }): ReactElement | null {
  if (kind !== "done" || report === null) return null;
  const notes = [
    ...(report.incomplete > 0
      ? [`${formatCount(report.incomplete, "action")} recorded by an older version: judged by what is known.`]
      : []),
    ...(report.erasedRuns > 0 ? [`${formatCount(report.erasedRuns, "run")} erased, and not looked at.`] : []),
    ...(report.actions === 0
      ? ["No action is recorded in this period. Choose a longer one, or run a task first."]
      : []),
  ];
  if (notes.length === 0) return null;
  return (
    <ul className="quiet small">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
