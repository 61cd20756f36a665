/** The list of runs: filtered by the address, live by the stream. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState, type ReactElement } from "react";
import type { RunSummary } from "../api/contract.ts";
import { runListQuery, statusQuery } from "../api/queries.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { BulkBar } from "./bulk-bar.tsx";
import { FirstRun } from "./first-run.tsx";
import { countGroup, everyRun, runGroupNames, runGroups } from "./run-groups.ts";
import { RunFilters } from "./run-filters.tsx";
import { RunTable } from "./run-table.tsx";
import "./runs-page.css";

const route = getRouteApi("/");

export function RunsPage(): ReactElement {
  const { state, workflow = "", label, parent } = route.useSearch();
  const group = state === undefined ? everyRun : runGroups[state];
  const filter = useMemo(
    () => ({
      states: group.states,
      workflow,
      ...(label === undefined ? {} : { label }),
      ...(parent === undefined ? {} : { parent }),
    }),
    [group, workflow, label, parent],
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const list = useInfiniteQuery(runListQuery(filter));
  const runs = list.data?.pages.flatMap((page) => page.data) ?? [];
  const selection = { chosen, onChange: setChosen };
  const isFiltered = state !== undefined || workflow !== "" || label !== undefined || parent !== undefined;
  return (
    <Page title="Runs" lead="Every task, newest first.">
      <div className="runs-filters">
        <Filters />
        <RunFilters />
      </div>
      {list.isError && <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <Loading lines={6} />}
      {list.isSuccess && runs.length === 0 && !isFiltered && <FirstRun />}
      {list.isSuccess && runs.length === 0 && isFiltered && (
        <EmptyState title={group.emptyText}>
          <Link to="/" search={{}}>
            Show all runs
          </Link>
        </EmptyState>
      )}
      <BulkBar runs={runs as readonly RunSummary[]} selection={selection} />
      {runs.length > 0 && <RunTable runs={runs as readonly RunSummary[]} selection={selection} />}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} icon="down" onClick={() => void list.fetchNextPage()}>
          Older runs
        </Button>
      )}
    </Page>
  );
}

function Filters(): ReactElement {
  const { state, ...rest } = route.useSearch();
  const counts = useQuery(statusQuery).data?.queue.counts;
  return (
    <nav className="pills" aria-label="Filter by state">
      {[undefined, ...runGroupNames].map((name) => {
        const group = name === undefined ? everyRun : runGroups[name];
        const count = countGroup(group, counts);
        return (
          <Link
            key={group.label}
            className="pill"
            to="/"
            search={name === undefined ? rest : { ...rest, state: name }}
            activeOptions={{ exact: true }}
            aria-current={state === name ? "page" : undefined}
          >
            {group.label}
            {count !== undefined && count > 0 && <span className="pill-count">{count}</span>}
          </Link>
        );
      })}
    </nav>
  );
}
