/** The newest entries of the ledger, or those before a given one; each opens to what was recorded. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { LedgerRow } from "../api/contract.ts";
import { ledgerEntriesQuery } from "../api/queries.ts";
import { shortId } from "../format/quantity.ts";
import { formatExact, millisOf } from "../format/time.ts";
import { JsonView } from "../json-view/json-view.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

const route = getRouteApi("/ledger");
const pageSize = 25;

export function LedgerEntries({ size }: { readonly size: number }): ReactElement {
  const { from: asked } = route.useSearch();
  const newestFrom = Math.max(0, size - pageSize);
  const from = Math.min(asked ?? newestFrom, newestFrom);
  const query = useQuery({ ...ledgerEntriesQuery(from, pageSize), placeholderData: keepPreviousData });
  const rows = query.data?.data.toReversed() ?? [];
  if (size === 0) return <EmptyState title="No entries yet">{null}</EmptyState>;
  return (
    <section className="panel" aria-label="Entries">
      <header className="panel-head">
        <h2>Entries</h2>
        <nav className="cluster small" aria-label="Pages of entries">
          {from < newestFrom && (
            <Link
              to="/ledger"
              search={from + pageSize >= newestFrom ? {} : { from: from + pageSize }}
              resetScroll={false}
            >
              Newer
            </Link>
          )}
          <span className="quiet">
            {from.toLocaleString("en-GB")} to {Math.min(size, from + pageSize) - 1}
          </span>
          {from > 0 && (
            <Link to="/ledger" search={{ from: Math.max(0, from - pageSize) }} resetScroll={false}>
              Older
            </Link>
          )}
        </nav>
      </header>
      {query.isPending && <Loading />}
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      <ul className="entries">
        {rows.map((row) => (
          <Entry key={row.index} row={row} />
        ))}
      </ul>
    </section>
  );
}

function Entry({ row }: { readonly row: LedgerRow }): ReactElement {
  const { entry, index } = row;
  const atMs = millisOf(entry.at);
  return (
    <li>
      <details>
        <summary>
          <Icon name="right" size={12} />
          <span className="entries-index">{index}</span>
          <code className="entries-type">{entry.type}</code>
          <span className="quiet truncate">{entry.actor.id}</span>
          <time className="quiet" dateTime={entry.at}>
            {atMs === null ? entry.at : formatExact(atMs)}
          </time>
        </summary>
        <div className="entries-body">
          {entry.run !== undefined && (
            <p className="small">
              Event {entry.run.seq} of run{" "}
              <Link to="/runs/$runId" params={{ runId: entry.run.id }} search={{ tab: "events" }}>
                {shortId(entry.run.id)}
              </Link>
            </p>
          )}
          <JsonView value={entry} what="entry" />
        </div>
      </details>
    </li>
  );
}
