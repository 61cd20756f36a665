/** One question with everything needed to answer it; nothing is folded away. */
import { Link } from "@tanstack/react-router";
import type { ReactElement, Ref } from "react";
import type { Approval } from "../api/contract.ts";
import { JsonView } from "../json-view/json-view.tsx";
import { MatchedRules } from "../policy/matched-rules.tsx";
import { Digest } from "../ui/digest.tsx";
import { Ago } from "../ui/moment.tsx";
import { riskLook } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { kindTexts } from "./approval-text.ts";
import { DecisionForm, type DecisionMode } from "./decision-form.tsx";
import { Expiry } from "./expiry.tsx";
import { OutcomeForm } from "./outcome-form.tsx";
import "./approval-card.css";

interface Props {
  readonly approval: Approval;
  readonly mode: DecisionMode;
  readonly onMode: (mode: DecisionMode) => void;
  readonly isSelected?: boolean;
  /** On the run's own page the run need not be named. */
  readonly withRun?: boolean;
  readonly ref?: Ref<HTMLElement>;
}

export function ApprovalCard({
  approval,
  mode,
  onMode,
  isSelected,
  withRun = true,
  ref,
}: Props): ReactElement {
  const titleId = `approval-${approval.id}`;
  return (
    <article
      className="approval panel"
      data-selected={isSelected}
      aria-labelledby={titleId}
      aria-current={isSelected === true ? "true" : undefined}
      tabIndex={-1}
      ref={ref}
    >
      <header className="approval-head">
        <div className="approval-marks">
          <span className="approval-kind">{kindTexts[approval.kind]}</span>
          <StateBadge look={riskLook(approval.risk)} />
          <Expiry approval={approval} />
        </div>
        <h2 id={titleId}>{approval.summary}</h2>
        {approval.message !== null && approval.message !== approval.summary && (
          <p className="approval-message">{approval.message}</p>
        )}
        <p className="approval-from">
          {withRun && (
            <>
              <Link to="/runs/$runId" params={{ runId: approval.runId }} search={{ step: approval.step }}>
                {approval.workflow}
              </Link>
              <span aria-hidden="true">›</span>
            </>
          )}
          <code>{approval.step}</code>
          <span>
            for {approval.requester}, asked <Ago time={approval.requestedAt} />
          </span>
        </p>
      </header>
      <div className="approval-body">
        <section className="approval-args">
          <h3>Arguments</h3>
          <JsonView value={approval.args} what="arguments" emptyText="This question has no arguments." />
        </section>
        <Reasons approval={approval} />
      </div>
      <footer className="approval-foot">
        {approval.kind === "outcome" ? (
          <OutcomeForm approval={approval} />
        ) : (
          <DecisionForm approval={approval} mode={mode} onMode={onMode} />
        )}
      </footer>
    </article>
  );
}

function Reasons({ approval }: { readonly approval: Approval }): ReactElement {
  return (
    <section className="approval-why">
      <h3>Why it asks</h3>
      <p className="small">{approval.reason}</p>
      {approval.kind === "action" && <MatchedRules rules={approval.matched} />}
      <dl className="facts">
        {approval.action !== null && (
          <>
            <dt>Action</dt>
            <dd>
              <code>{approval.action}</code>
            </dd>
          </>
        )}
        {approval.resource !== null && (
          <>
            <dt>Resource</dt>
            <dd>
              <code>{approval.resource}</code>
            </dd>
          </>
        )}
        {approval.labels.length > 0 && (
          <>
            <dt>Data from</dt>
            <dd>{approval.labels.join(", ")}</dd>
          </>
        )}
        <dt>May answer</dt>
        <dd>{approval.by.length === 0 ? "anyone signed in" : approval.by.join(", ")}</dd>
        <dt>Policy</dt>
        <dd>
          <Digest value={approval.policyRevision} what="policy revision" withCopy={false} />
        </dd>
        <dt>Bound to</dt>
        <dd>
          <Digest value={approval.argsDigest} what="argument digest" />
        </dd>
      </dl>
    </section>
  );
}
