/** All about one step: what was asked for, what policy said, what came out. */
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, type ReactElement, type ReactNode } from "react";
import type { RunDetail, StepDecision, StepView } from "../../api/contract.ts";
import { formatDuration } from "../../format/duration.ts";
import { shortId } from "../../format/quantity.ts";
import { JsonView } from "../../json-view/json-view.tsx";
import { Origins, RiskScore, TextChanges } from "../../policy/decision/decision-parts.tsx";
import { MatchedRules } from "../../policy/matched-rules.tsx";
import { IconButton } from "../../ui/button.tsx";
import { Digest } from "../../ui/digest.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Exact } from "../../ui/moment.tsx";
import { effectLooks, endedStates, riskLook, stepLooks } from "../../ui/state.ts";
import { StateBadge, StateGlyph } from "../../ui/state-glyph.tsx";
import { AgainButton } from "../again-button.tsx";
import { stepDurationMs } from "./step-duration.ts";
import { kindIcons } from "./kind-icons.ts";
import { Prose } from "../../ui/prose.tsx";
import "./step-detail.css";

interface Props {
  readonly run: RunDetail;
  readonly step: StepView;
  readonly now: number;
  readonly onClose: () => void;
}

export function StepDetail({ run, step, now, onClose }: Props): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // On a narrow window the panel covers the list, so reading goes on here.
    if (window.matchMedia("(max-width: 1179px)").matches) heading.current?.focus();
  }, [step.path]);
  return (
    <aside className="panel detail" aria-label="Step">
      <header className="detail-head">
        <div>
          <p className="detail-kind">
            <Icon name={kindIcons[step.kind]} size={13} />
            {step.tool ?? step.kind.replace("_", " ")}
          </p>
          <h2 tabIndex={-1} ref={heading}>
            {step.title ?? step.id}
          </h2>
        </div>
        <IconButton icon="cross" label="Close the step" onClick={onClose} />
      </header>
      <div className="detail-body">
        {step.summary !== null && <p>{step.summary}</p>}
        {step.error !== null && <StepError error={step.error} />}
        <StepFacts step={step} now={now} />
        <StepRelations run={run} step={step} />
        {step.decision !== null && <DecisionView decision={step.decision} runId={run.id} />}
        <Answer run={run} step={step} />
        {step.kind === "tool" && (
          <Section title="Arguments">
            <JsonView
              value={step.args}
              what="arguments"
              emptyText={
                step.startedAt === null ? "They are computed when the step begins." : "No arguments."
              }
            />
          </Section>
        )}
        <Section title="Output">
          <JsonView
            value={step.output}
            what="output"
            emptyText={step.endedAt === null ? "It comes with the end of the step." : "No output."}
          />
        </Section>
      </div>
    </aside>
  );
}

function Section({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <section className="detail-section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function StepFacts({ step, now }: { readonly step: StepView; readonly now: number }): ReactElement {
  const durationMs = stepDurationMs(step, now);
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <StateBadge look={stepLooks[step.state]} />
      </dd>
      <dt>Path</dt>
      <dd>
        <code>{step.path}</code>
      </dd>
      {step.resource !== null && (
        <>
          <dt>Resource</dt>
          <dd>
            <code>{step.resource}</code>
          </dd>
        </>
      )}
      {step.effect !== null && (
        <>
          <dt>Effect</dt>
          <dd>{effectTexts[step.effect] ?? step.effect}</dd>
        </>
      )}
      {step.attempt > 0 && (
        <>
          <dt>Try</dt>
          <dd>{step.attempt}</dd>
        </>
      )}
      {durationMs !== null && (
        <>
          <dt>Began</dt>
          <dd>
            <Exact time={step.startedAt} />
          </dd>
          <dt>Took</dt>
          <dd>{formatDuration(durationMs)}</dd>
        </>
      )}
    </dl>
  );
}

/** What each effect class means if the machine stops in the middle. */
const effectTexts: Readonly<Record<string, string>> = {
  pure: "pure: may run again at any time",
  idempotent: "idempotent: may run again with the same key",
  checkable: "checkable: the outside world is asked before a repeat",
  unsafe: "unsafe: never repeated without a person",
};

interface DecisionProps {
  readonly decision: StepDecision;
  readonly runId: string;
}

function DecisionView({ decision, runId }: DecisionProps): ReactElement {
  return (
    <>
      <Section title="Decision">
        <div className="cluster">
          <StateBadge look={effectLooks[decision.effect]} />
          <StateBadge look={riskLook(decision.risk)} />
          <span className="small quiet">
            policy <Digest value={decision.revision} what="policy revision" withCopy={false} />
          </span>
        </div>
        <p className="small">
          <Prose text={decision.reason} />
        </p>
        <MatchedRules rules={decision.matched} />
        {decision.score !== undefined && <RiskScore score={decision.score} />}
      </Section>
      {decision.transformed !== undefined && (
        <Section title="Changed before it was decided">
          <TextChanges transformed={decision.transformed} />
        </Section>
      )}
      {decision.origins !== undefined && (
        <Section title="Where its arguments come from">
          <Origins origins={decision.origins} runId={runId} />
        </Section>
      )}
    </>
  );
}

function Answer({ run, step }: { readonly run: RunDetail; readonly step: StepView }): ReactElement | null {
  const answered = run.approvals.filter(
    (approval) => approval.step === step.path && approval.decidedAt !== null,
  );
  if (answered.length === 0) return null;
  return (
    <Section title="Answer">
      {answered.map((approval) => (
        <p className="small" key={approval.id}>
          {approval.decidedBy} said{" "}
          <strong>{approval.answer?.replaceAll("-", " ") ?? approval.status}</strong>
          {approval.decisionReason !== null && <>: “{approval.decisionReason}”</>},{" "}
          <Exact time={approval.decidedAt} />
        </p>
      ))}
    </Section>
  );
}

/** Where its outcome came from, the run it waits for, and the way to do it again. */
function StepRelations({ run, step }: { readonly run: RunDetail; readonly step: StepView }): ReactElement {
  const mayBegin = endedStates.has(run.state) && step.state !== "pending" && step.role === "step";
  return (
    <>
      {step.carried !== null && (
        <p className="small">
          Kept from{" "}
          <Link to="/runs/$runId" params={{ runId: step.carried.run }} search={{ step: step.path }}>
            {shortId(step.carried.run)}
          </Link>
          : its event {step.carried.seq} proves the outcome. It was not done again.
        </p>
      )}
      {step.childRunId !== null && (
        <p className="small">
          Runs{" "}
          <Link to="/runs/$runId" params={{ runId: step.childRunId }} search={{}}>
            {shortId(step.childRunId)}
          </Link>
        </p>
      )}
      {step.caught && <p className="small">It failed, and the workflow has dealt with that.</p>}
      {mayBegin && (
        <div>
          <AgainButton run={run} point={{ kind: "rerun", fromStep: step.path }} label="Run again from here" />
        </div>
      )}
    </>
  );
}

function StepError({ error }: { readonly error: NonNullable<StepView["error"]> }): ReactElement {
  return (
    <div className="problem">
      <StateGlyph look={stepLooks.failed} size={16} />
      <div className="problem-text">
        <p>{error.message}</p>
        {error.hint !== undefined && <p className="problem-hint">{error.hint}</p>}
        <code>{error.code}</code>
      </div>
    </div>
  );
}
