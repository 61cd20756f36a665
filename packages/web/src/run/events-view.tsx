/** The journal: every event with its place in the chain, searchable, each opens to its body. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useDeferredValue, useId, useMemo, useState, type ReactElement } from "react";
import type { RunDetail, RunEvent } from "../api/contract.ts";
import { formatCount } from "../format/quantity.ts";
import { formatClock, millisOf } from "../format/time.ts";
import { JsonView } from "../json-view/json-view.tsx";
import { Button } from "../ui/button.tsx";
import { Digest } from "../ui/digest.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { AgainButton } from "./again-button.tsx";
import { countKinds, filterEvents, runEventsQuery } from "./run-events.ts";
import "./events-view.css";

const route = getRouteApi("/runs/$runId");
const atOnce = 200;

export function EventsView({ run }: { readonly run: RunDetail }): ReactElement {
  const { kind = "" } = route.useSearch();
  const [text, setText] = useState("");
  const [shown, setShown] = useState(atOnce);
  const wanted = useDeferredValue(text);
  const query = useQuery(runEventsQuery(run.id));
  const events = query.data;
  const found = useMemo(() => filterEvents(events ?? [], { kind, text: wanted }), [events, kind, wanted]);
  if (query.isPending) return <Loading lines={8} />;
  if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <section className="stack" aria-label="Events">
      <div className="events-bar">
        <Search text={text} onText={setText} />
        <KindSelect events={query.data} kind={kind} />
        <span className="quiet small" role="status">
          {found.length === query.data.length
            ? formatCount(found.length, "event")
            : `${found.length} of ${formatCount(query.data.length, "event")}`}
        </span>
      </div>
      {found.length === 0 && <EmptyState title="No event matches">{null}</EmptyState>}
      {found.length > 0 && (
        <ul className="panel events">
          {found.slice(0, shown).map((event) => (
            <EventRow key={event.seq} run={run} event={event} />
          ))}
        </ul>
      )}
      {found.length > shown && (
        <Button icon="down" onClick={() => setShown(shown + 1_000)}>
          {formatCount(found.length - shown, "more event")}
        </Button>
      )}
    </section>
  );
}

function Search({
  text,
  onText,
}: {
  readonly text: string;
  readonly onText: (text: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <div className="search-field">
      <Icon name="search" size={14} />
      <label htmlFor={id} className="visually-hidden">
        Search the events
      </label>
      <input
        id={id}
        className="input"
        type="search"
        placeholder="Search step, digest or body"
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
    </div>
  );
}

function KindSelect({
  events,
  kind,
}: {
  readonly events: readonly RunEvent[];
  readonly kind: string;
}): ReactElement {
  const navigate = route.useNavigate();
  const id = useId();
  const change = (next: string): void => {
    void navigate({ search: (search) => withKind(search, next), replace: true });
  };
  return (
    <>
      <label htmlFor={id} className="visually-hidden">
        Kind of event
      </label>
      <select
        id={id}
        className="input events-kind"
        value={kind}
        onChange={(event) => change(event.target.value)}
      >
        <option value="">Every kind</option>
        {countKinds(events).map(([name, count]) => (
          <option key={name} value={name}>
            {name} ({count})
          </option>
        ))}
      </select>
    </>
  );
}

function withKind<Search extends { kind?: string }>(search: Search, kind: string): Search {
  const { kind: _before, ...rest } = search;
  return (kind === "" ? rest : { ...rest, kind }) as Search;
}

function EventRow({ run, event }: { readonly run: RunDetail; readonly event: RunEvent }): ReactElement {
  const atMs = millisOf(event.at);
  return (
    <li>
      <details>
        <summary>
          <Icon name="right" size={12} />
          <span className="events-seq">{event.seq}</span>
          <time dateTime={event.at}>{atMs === null ? event.at : formatClock(atMs)}</time>
          <code className="events-name">{event.kind}</code>
          <span className="events-step truncate">{event.step}</span>
          <code className="events-digest">{event.digest.replace(/^sha256[:-]/, "").slice(0, 12)}</code>
        </summary>
        <div className="events-body">
          <Digest value={event.digest} what="event digest" length={64} />
          <JsonView value={event.body} what="event body" emptyText="No body." />
          <div>
            <AgainButton run={run} point={{ kind: "fork", seq: event.seq }} label="Fork here" />
          </div>
        </div>
      </details>
    </li>
  );
}
