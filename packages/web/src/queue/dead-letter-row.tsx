/** One dead letter: what it died of, what led there, and what can be done about it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import type { RunSummary } from "../api/contract.ts";
import type { DeadLetter } from "../api/operations-calls.ts";
import { deadLetterQuery } from "../api/operations-queries.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Ago, Exact } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

interface Props {
  readonly letter: RunSummary;
  readonly isChosen: boolean;
  readonly isBusy: boolean;
  readonly onChoose: (isChosen: boolean) => void;
  readonly onRetry: () => void;
  readonly onDiscard: () => void;
}

export function DeadLetterRow(props: Props): ReactElement {
  const { letter, isChosen, isBusy, onChoose, onRetry, onDiscard } = props;
  const [isOpen, setOpen] = useState(false);
  const name = `${letter.workflow.name} ${shortId(letter.id)}`;
  return (
    <li>
      <div className="letter">
        <input
          type="checkbox"
          aria-label={`Choose ${name}`}
          checked={isChosen}
          onChange={(event) => onChoose(event.target.checked)}
        />
        <div className="letter-main">
          <p>
            <Link to="/runs/$runId" params={{ runId: letter.id }} search={{}}>
              {letter.workflow.name} <code className="small">{shortId(letter.id)}</code>
            </Link>
          </p>
          {letter.error !== null && (
            <>
              <p className="letter-error">{letter.error.message}</p>
              {letter.error.hint !== undefined && <p className="small">{letter.error.hint}</p>}
            </>
          )}
          <p className="quiet small letter-facts">
            {letter.error !== null && <code>{letter.error.code}</code>}
            {letter.error?.step !== undefined && (
              <span>
                at <code>{letter.error.step}</code>
              </span>
            )}
            <span>{formatCount(letter.attempts, "attempt")}</span>
            <span>by {letter.requester}</span>
            <span>
              died <Ago time={letter.endedAt} />
            </span>
          </p>
        </div>
        <div className="letter-actions">
          <Button icon={isOpen ? "down" : "right"} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            History<span className="visually-hidden"> of {name}</span>
          </Button>
          <Button icon="retry" busy={isBusy} onClick={onRetry}>
            Retry<span className="visually-hidden"> {name}</span>
          </Button>
          <Button look="danger" icon="bin" onClick={onDiscard}>
            Discard<span className="visually-hidden"> {name}</span>
          </Button>
        </div>
      </div>
      {isOpen && <History id={letter.id} />}
    </li>
  );
}

function History({ id }: { readonly id: string }): ReactElement {
  const letter = useQuery(deadLetterQuery(id));
  return (
    <div className="letter-history">
      {letter.isPending && <Loading lines={2} />}
      {letter.isError && <ProblemNotice error={letter.error} />}
      {letter.data?.history.length === 0 && <p className="quiet small">The journal names no failure.</p>}
      <ol>
        {letter.data?.history.map((entry) => (
          <Entry key={entry.seq} entry={entry} />
        ))}
      </ol>
    </div>
  );
}

function Entry({ entry }: { readonly entry: DeadLetter["history"][number] }): ReactElement {
  return (
    <li>
      <Icon name="right" size={12} />
      <div>
        <p className="small">
          <code>{entry.kind}</code>
          {entry.step !== null && (
            <>
              {" "}
              at <code>{entry.step}</code>
            </>
          )}
          {entry.attempt !== null && <>, attempt {entry.attempt}</>}{" "}
          <span className="quiet">
            <Exact time={entry.at} />
          </span>
        </p>
        {entry.error !== null && (
          <p className="small">
            {entry.error.message} <span className="quiet">{entry.error.hint}</span>
          </p>
        )}
      </div>
    </li>
  );
}
