/** What stands between a run and its end right now: a question, a timer, a pause, or the error that ended it. */
import { Link } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import type { Approval, RunDetail, RunError } from "../api/contract.ts";
import { ApprovalCard } from "../approvals/approval-card.tsx";
import type { DecisionMode } from "../approvals/decision-mode.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { useNow } from "../live/now.ts";
import { waitingText } from "../runs/waiting-text.ts";
import { Icon } from "../ui/icon.tsx";
import { runLooks } from "../ui/state.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { RunNotes } from "./run-notes.tsx";
import { RunSignals } from "./run-signals.tsx";
import { Prose } from "../ui/prose.tsx";

export function RunNow({ run }: { readonly run: RunDetail }): ReactElement {
  const questions = run.approvals.filter((approval) => approval.status === "waiting");
  return (
    <>
      {run.error !== null && <RunErrorNotice error={run.error} run={run} />}
      {questions.map((approval) => (
        <Question key={approval.id} approval={approval} />
      ))}
      <RunSignals run={run} />
      {questions.length === 0 && !isToldBelow(run) && <Waiting run={run} />}
      <RunNotes run={run} />
    </>
  );
}

/** A step that a limit or a breaker holds back is told of by its own note, with its name. */
function isToldBelow({ waitingFor, steps }: RunDetail): boolean {
  return (
    waitingFor?.kind === "timer" && (waitingFor.more ?? 0) === 0 && steps.some(({ held }) => held !== null)
  );
}

function Question({ approval }: { readonly approval: Approval }): ReactElement {
  const [mode, setMode] = useState<DecisionMode>("idle");
  return <ApprovalCard approval={approval} withRun={false} mode={mode} onMode={setMode} />;
}

function Waiting({ run }: { readonly run: RunDetail }): ReactElement | null {
  const now = useNow(500, run.waitingFor !== null);
  // A signal has its own form above.
  if (run.waitingFor === null || run.waitingFor.kind === "signal") return null;
  return (
    <p className="run-waiting" data-tone="waiting" role="status">
      <Icon name={run.waitingFor.kind === "pause" ? "pause" : "clock"} />
      <span>
        {waitingText(run.waitingFor, now)}
        {run.waitingFor.kind === "child" && run.waitingFor.id !== undefined && (
          <>
            :{" "}
            <Link to="/runs/$runId" params={{ runId: run.waitingFor.id }} search={{}}>
              {shortId(run.waitingFor.id)}
            </Link>
          </>
        )}
        {run.waitingFor.reason !== undefined && `: ${run.waitingFor.reason}`}
        {run.waitingFor.more !== undefined &&
          run.waitingFor.more > 0 &&
          `, and for ${formatCount(run.waitingFor.more, "more thing")} at the same time`}
      </span>
    </p>
  );
}

function RunErrorNotice({ error, run }: { readonly error: RunError; readonly run: RunDetail }): ReactElement {
  return (
    <section className="problem" aria-label="Error of the run">
      <StateGlyph look={runLooks.FAILED} size={18} />
      <div className="problem-text">
        <h2>
          <Prose text={error.message} />
        </h2>
        {error.hint !== undefined && (
          <p className="problem-hint">
            <Prose text={error.hint} />
          </p>
        )}
        <p className="problem-marks">
          <code>{error.code}</code>
          {error.step !== undefined && (
            <span>
              in step{" "}
              <Link to="/runs/$runId" params={{ runId: run.id }} search={{ step: error.step }}>
                {error.step}
              </Link>
            </span>
          )}
        </p>
      </div>
    </section>
  );
}
