/** One question with everything needed to answer it; nothing is folded away. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement, Ref } from "react";
import type { Approval } from "../api/contract.ts";
import { delegationsQuery } from "../api/inbox-calls.ts";
import { sessionQuery } from "../api/queries.ts";
import { JsonView } from "../json-view/json-view.tsx";
import { TracedReasons } from "../policy/decision/traced-reasons.tsx";
import { MatchedRules } from "../policy/matched-rules.tsx";
import { Digest } from "../ui/digest.tsx";
import { Ago } from "../ui/moment.tsx";
import { riskLook } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { kindTexts } from "./approval-text.ts";
import { DecisionForm } from "./decision-form.tsx";
import type { DecisionMode } from "./decision-mode.ts";
import { Expiry } from "./expiry.tsx";
import { listOf, mayAnswer, type MayAnswer } from "./may-answer.ts";
import { OutcomeForm } from "./outcome-form.tsx";
import { Quorum } from "./quorum.tsx";
import { RunPath } from "./run-path.tsx";
import { Prose } from "../ui/prose.tsx";
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
  const may = useMayAnswer(approval);
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
          <RunPath of={approval} withOwn={withRun} />
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
        <Quorum approval={approval} />
        {approval.kind === "outcome" ? (
          <OutcomeForm approval={approval} />
        ) : (
          <DecisionForm approval={approval} may={may} mode={mode} onMode={onMode} />
        )}
      </footer>
    </article>
  );
}

/** May answer as long as it is not known who is signed in: the server has the last word. */
export function useMayAnswer(approval: Approval): MayAnswer {
  const session = useQuery(sessionQuery).data;
  const delegations = useQuery(delegationsQuery).data ?? [];
  if (session === null || session === undefined) return { kind: "may" };
  return mayAnswer(approval, session, delegations);
}

function Reasons({ approval }: { readonly approval: Approval }): ReactElement {
  return (
    <section className="approval-why">
      <h3>Why it asks</h3>
      <p className="small">
        <Prose text={approval.reason} />
      </p>
      {approval.kind === "action" && <MatchedRules rules={approval.matched} />}
      <TracedReasons approval={approval} />
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
        <dd>
          {listOf(approval.by)}
          {approval.delegates.length > 0 && `, handed on to ${approval.delegates.join(", ")}`}
        </dd>
        {approval.fourEyes && (
          <>
            <dt>Four eyes</dt>
            <dd>{approval.requester} asked for the run and may not agree to it, but may say no</dd>
          </>
        )}
        {approval.policyRevision !== "" && (
          <>
            <dt>Policy</dt>
            <dd>
              <Digest value={approval.policyRevision} what="policy revision" withCopy={false} />
            </dd>
          </>
        )}
        <dt>Bound to</dt>
        <dd>
          <Digest value={approval.argsDigest} what="argument digest" />
        </dd>
      </dl>
    </section>
  );
}
