/** One run: what it does now, what it did when, what it left, and the proof. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useRef, type ReactElement } from "react";
import type { RunDetail } from "../api/contract.ts";
import { runQuery } from "../api/queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { runLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { ArtifactGrid } from "../artifacts/artifact-grid.tsx";
import { EventsView } from "./events-view.tsx";
import { GraphView } from "./graph-view.tsx";
import { useLongRun } from "./long-run.tsx";
import { MessagesView } from "./messages-view.tsx";
import { ProofView } from "./proof-view.tsx";
import { RelatedView } from "./related-view.tsx";
import { RunControls } from "./run-controls.tsx";
import { RunFacts } from "./run-facts.tsx";
import { RunNow } from "./run-now.tsx";
import type { RunTab } from "./run-tabs.ts";
import { Timeline } from "./timeline/timeline.tsx";
import { useRunStream, type ProgressLines } from "./use-run-stream.ts";
import { ValuesView } from "./values-view.tsx";
import "./run-page.css";

const route = getRouteApi("/runs/$runId");

export function RunPage(): ReactElement {
  const { runId } = route.useParams();
  const query = useQuery(runQuery(runId));
  const run = query.data;
  const lines = useRunStream(run, runId);
  useStateAnnouncement(run);
  const crumbs = (
    <nav className="crumbs" aria-label="Breadcrumb">
      <Link to="/" search={{}}>
        Runs
      </Link>
      {run !== undefined && (
        <>
          <Icon name="right" size={11} />
          <Link to="/" search={{ workflow: run.workflow.name }}>
            all of {run.workflow.name}
          </Link>
        </>
      )}
    </nav>
  );
  if (run === undefined) {
    return (
      <Page title="Run" above={crumbs}>
        {query.isError ? (
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Loading lines={8} />
        )}
      </Page>
    );
  }
  return (
    <Page
      title={run.workflow.name}
      above={crumbs}
      heading={
        <span className="run-heading">
          {run.workflow.name}
          <StateBadge look={runLooks[run.state]} />
        </span>
      }
      lead={<RunFacts run={run} />}
      actions={<RunControls run={run} />}
    >
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      <RunNow run={run} />
      <RunTabs run={run} lines={lines} />
    </Page>
  );
}

const tabNames: Readonly<Record<RunTab, string>> = {
  timeline: "Timeline",
  graph: "Graph",
  events: "Events",
  artifacts: "Artifacts",
  values: "Inputs and outputs",
  messages: "Messages",
  related: "Related runs",
  proof: "Proof",
};

function RunTabs({ run, lines }: { readonly run: RunDetail; readonly lines: ProgressLines }): ReactElement {
  const { tab = "timeline" } = route.useSearch();
  const counts: Readonly<Partial<Record<RunTab, number>>> = {
    timeline: run.stepsListed,
    events: run.headSeq,
    artifacts: run.artifacts.length,
    ...(run.messages.length === 0 ? {} : { messages: run.messages.length }),
  };
  return (
    <div className="run-views">
      <Tabs label="Views of this run">
        {(Object.keys(tabNames) as RunTab[]).map((name) => (
          <Link
            key={name}
            className="tab"
            to="/runs/$runId"
            params={{ runId: run.id }}
            search={name === "timeline" ? {} : { tab: name }}
            activeOptions={{ exact: true }}
            aria-current={tab === name ? "page" : undefined}
          >
            {tabNames[name]}
            {counts[name] !== undefined && <span className="tab-count">{counts[name]}</span>}
          </Link>
        ))}
      </Tabs>
      {tab === "timeline" && <WholeTimeline run={run} lines={lines} />}
      {tab === "graph" && <GraphView run={run} />}
      {tab === "events" && <EventsView run={run} />}
      {tab === "artifacts" && <RunArtifacts run={run} />}
      {tab === "values" && <ValuesView run={run} />}
      {tab === "messages" && <MessagesView run={run} />}
      {tab === "related" && <RelatedView run={run} />}
      {tab === "proof" && <ProofView run={run} />}
    </div>
  );
}

function WholeTimeline({
  run: given,
  lines,
}: {
  readonly run: RunDetail;
  readonly lines: ProgressLines;
}): ReactElement {
  const { run, note } = useLongRun(given);
  return (
    <>
      {note}
      <Timeline run={run} lines={lines} />
    </>
  );
}

function RunArtifacts({ run }: { readonly run: RunDetail }): ReactElement {
  if (run.artifacts.length === 0) {
    return (
      <EmptyState title="No artifacts">
        <p>Files that a step writes into the workspace appear here with their digest.</p>
      </EmptyState>
    );
  }
  return <ArtifactGrid artifacts={run.artifacts} withRun={false} />;
}

function useStateAnnouncement(run: RunDetail | undefined): void {
  const announce = useAnnounce();
  const last = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (run === undefined) return;
    const now = `${run.id} ${run.state}`;
    const before = last.current;
    last.current = now;
    if (before !== undefined && before !== now && before.startsWith(run.id)) {
      announce(`${run.workflow.name}: ${runLooks[run.state].label}`, { quiet: true });
    }
  }, [run, announce]);
}
