/** The page behind a link from mail or chat: shows one question to one person, signed in if the server wants it, and takes one answer. */
import { useMutation, useQuery } from "@tanstack/react-query";
import {
  useCallback,
  useEffect,
  useId,
  useState,
  type FormEvent,
  type ReactElement,
  type ReactNode,
} from "react";
import { inboxApi, type LinkedQuestion } from "../api/inbox-calls.ts";
import { isSignedOut, problemOf } from "../api/problem.ts";
import type { Approval } from "../api/contract.ts";
import { JsonView } from "../json-view/json-view.tsx";
import { Logo } from "../shell/logo.tsx";
import { ThemeToggle } from "../shell/theme-toggle.tsx";
import { SessionGate } from "../sign-in/session-gate.tsx";
import { Button } from "../ui/button.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { riskLook } from "../ui/state.ts";
import { StateBadge, StateGlyph } from "../ui/state-glyph.tsx";
import { answeredText, kindTexts, statusLooks, voteText } from "./approval-text.ts";
import { Expiry } from "./expiry.tsx";
import { takeLinkToken } from "./take-link-token.ts";
import { Prose } from "../ui/prose.tsx";
import "./approval-card.css";
import "./answer-page.css";

interface Props {
  /** Taken out of the address before anything was drawn. */
  readonly token: string | null;
}

export function AnswerPage({ token: given }: Props): ReactElement {
  const [token, setToken] = useState(given);
  // Whether the link alone is enough is for the server to say.
  const [mustSignIn, setMustSignIn] = useState(false);
  const onSignedOut = useCallback(() => setMustSignIn(true), []);
  useEffect(() => {
    document.title = "A question · Homeostat";
    // A link pasted into this very tab changes only the fragment.
    const onHash = (): void => setToken(takeLinkToken(window.location, window.history) ?? token);
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, [token]);
  const page = (
    <main className="answer">
      <header className="answer-head">
        <Logo size={26} />
        <span>Homeostat</span>
        <ThemeToggle />
      </header>
      {token === null ? <NoToken /> : <Linked key={token} token={token} onSignedOut={onSignedOut} />}
    </main>
  );
  return mustSignIn ? <SessionGate token={null}>{page}</SessionGate> : page;
}

function NoToken(): ReactElement {
  return (
    <Notice title="This page needs its whole link">
      <p>
        Open the link from the message again, with everything behind the #. It leaves the address bar as soon
        as it is read, so a reloaded page no longer has it.
      </p>
      <p>
        <a href="/approvals">Sign in and answer there</a>
      </p>
    </Notice>
  );
}

interface LinkedProps {
  readonly token: string;
  readonly onSignedOut: () => void;
}

function Linked({ token, onSignedOut }: LinkedProps): ReactElement {
  // Once: opening uses nothing up, but an answered link would tell nothing more.
  const question = useQuery({
    queryKey: ["approval-link", token],
    queryFn: () => inboxApi.openLink(token),
    staleTime: Number.POSITIVE_INFINITY,
    retry: (failures, error) => failures < 2 && problemOf(error).status === 0,
  });
  const isOut = question.isError && isSignedOut(question.error);
  useEffect(() => {
    if (isOut) onSignedOut();
  }, [isOut, onSignedOut]);
  if (question.isPending || isOut) return <Loading lines={5} />;
  if (question.isError) return <Refused error={question.error} onRetry={() => void question.refetch()} />;
  return <Question token={token} linked={question.data} />;
}

/** A link that was used, has expired or never was: the server says which, and what to do instead. */
function Refused({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry: () => void;
}): ReactElement {
  const problem = problemOf(error);
  if (problem.code === "AUTHORIZATION_DENIED")
    return (
      <Notice title={problem.detail}>
        <p>{problem.hint}</p>
        <p>
          <a href="/approvals">Open the inbox</a>
        </p>
      </Notice>
    );
  if (problem.code !== "APPROVAL_LINK_INVALID") return <ProblemNotice error={error} onRetry={onRetry} />;
  return (
    <Notice title={problem.detail}>
      <p>Each link is for one person, for one answer and for a time. {problem.hint}</p>
      <p>
        <a href="/approvals">Sign in and answer there</a>
      </p>
    </Notice>
  );
}

function Notice({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <section className="panel answer-notice">
      <StateGlyph look={statusLooks.expired} size={30} />
      <h1>{title}</h1>
      {children}
    </section>
  );
}

function Question({
  token,
  linked,
}: {
  readonly token: string;
  readonly linked: LinkedQuestion;
}): ReactElement {
  const { approval, principal } = linked;
  const answer = useMutation({
    mutationFn: ({ yes, reason }: { readonly yes: boolean; readonly reason: string }) =>
      inboxApi.answerLink(token, yes ? "approve" : "reject", reason),
  });
  if (answer.data !== undefined) return <Answered approval={answer.data} />;
  return (
    <article className="panel approval" aria-labelledby="question">
      <QuestionHead approval={approval} />
      <div className="answer-body">
        <p className="small">
          <Prose text={approval.reason} />
        </p>
        {approval.resource !== null && (
          <p className="small">
            Resource: <code>{approval.resource}</code>
          </p>
        )}
        <JsonView value={approval.args} what="arguments" emptyText="This question has no arguments." />
      </div>
      <footer className="approval-foot">
        {approval.status === "waiting" && approval.kind !== "outcome" ? (
          <AnswerForm
            principal={principal}
            isBusy={answer.isPending}
            error={answer.error}
            onAnswer={(yes, reason) => answer.mutate({ yes, reason })}
          />
        ) : (
          <p>
            {approval.kind === "outcome"
              ? "Whether it happened is answered on the dashboard."
              : answeredText(approval)}
          </p>
        )}
      </footer>
    </article>
  );
}

function QuestionHead({ approval }: Pick<LinkedQuestion, "approval">): ReactElement {
  const path = [...approval.runPath.map(({ workflow }) => workflow), approval.workflow, approval.step];
  return (
    <header className="approval-head">
      <div className="approval-marks">
        <span className="approval-kind">{kindTexts[approval.kind]}</span>
        <StateBadge look={riskLook(approval.risk)} />
        <Expiry approval={approval} />
      </div>
      <h1 id="question" className="answer-question">
        {approval.summary}
      </h1>
      {approval.message !== null && approval.message !== approval.summary && <p>{approval.message}</p>}
      <p className="approval-from">
        <code>{path.join(" › ")}</code>
        <span>for {approval.requester}</span>
      </p>
    </header>
  );
}

interface FormProps {
  readonly principal: string;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly onAnswer: (yes: boolean, reason: string) => void;
}

function AnswerForm({ principal, isBusy, error, onAnswer }: FormProps): ReactElement {
  const [reason, setReason] = useState("");
  const [isMissing, setMissing] = useState(false);
  const id = useId();
  const given = reason.trim();
  const reject = (event: FormEvent): void => {
    event.preventDefault();
    setMissing(given === "");
    if (given !== "") onAnswer(false, given);
  };
  return (
    <form className="decision-box" onSubmit={reject}>
      <p className="small">
        You answer as <strong>{principal}</strong>. The link is used up by it.
      </p>
      <div className="field">
        <label htmlFor={id}>Reason (needed to reject)</label>
        <input
          id={id}
          className="input"
          value={reason}
          aria-invalid={isMissing && given === ""}
          aria-describedby={isMissing ? `${id}-note` : undefined}
          onChange={(event) => setReason(event.target.value)}
        />
        {isMissing && given === "" && (
          <p className="field-error" id={`${id}-note`} role="alert">
            Say why, so that whoever asked can do better.
          </p>
        )}
      </div>
      {error !== null && <ProblemNotice error={error} />}
      <div className="decision-actions">
        <Button type="submit" look="danger" icon="cross" size="large" busy={isBusy}>
          Reject
        </Button>
        <Button look="primary" icon="check" size="large" busy={isBusy} onClick={() => onAnswer(true, given)}>
          Approve
        </Button>
      </div>
    </form>
  );
}

function Answered({ approval }: { readonly approval: Approval }): ReactElement {
  const isOpen = approval.status === "waiting";
  const look = isOpen ? statusLooks.approved : statusLooks[approval.status];
  return (
    <section className="panel answer-notice" role="status">
      <StateGlyph look={look} size={30} />
      <h1>{isOpen ? "Your yes is in" : look.label}</h1>
      <p>{approval.summary}</p>
      <p className="quiet">
        {isOpen ? voteText(approval) : "The run goes on with your answer."} You can close this page.
      </p>
    </section>
  );
}
