/** How the runtime itself is: its supervision tree, workers, limits, stores, sandbox, and every setting with its origin. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { SystemStatus } from "../api/contract.ts";
import { liveStatusQuery } from "../api/operations-queries.ts";
import { formatDuration } from "../format/duration.ts";
import { useNow } from "../live/now.ts";
import { useStreamState } from "../live/live-updates.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Exact } from "../ui/moment.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { millisOf } from "../format/time.ts";
import { ConfigTable } from "./config-table.tsx";
import { LimitLevels } from "./limit-levels.tsx";
import { QueueCounts } from "./queue-counts.tsx";
import { SandboxPanel } from "./sandbox-panel.tsx";
import { StoresPanel } from "./stores-panel.tsx";
import { SupervisionTree } from "./supervision-tree.tsx";
import type { SystemTab } from "./system-tabs.ts";
import { WorkerList } from "./worker-list.tsx";
import "./system-page.css";

const route = getRouteApi("/system");

const tabs: readonly { readonly tab?: SystemTab; readonly label: string }[] = [
  { label: "Overview" },
  { tab: "workers", label: "Workers" },
  { tab: "limits", label: "Limits" },
  { tab: "settings", label: "Configuration" },
];

export function SystemPage(): ReactElement {
  const { tab } = route.useSearch();
  return (
    <Page title="System" lead="How the runtime itself is, live.">
      <Tabs label="Views of the system">
        {tabs.map((each) => (
          <Link
            key={each.label}
            className="tab"
            to="/system"
            search={each.tab === undefined ? {} : { tab: each.tab }}
            activeOptions={{ exact: true }}
            aria-current={tab === each.tab ? "page" : undefined}
          >
            {each.label}
          </Link>
        ))}
      </Tabs>
      {tab === undefined && <Overview />}
      {tab === "workers" && <WorkerList />}
      {tab === "limits" && <LimitLevels />}
      {tab === "settings" && <ConfigTable />}
    </Page>
  );
}

function Overview(): ReactElement {
  const status = useQuery(liveStatusQuery);
  return (
    <>
      {status.isPending && <Loading lines={6} />}
      {status.isError && <ProblemNotice error={status.error} onRetry={() => void status.refetch()} />}
      {status.data !== undefined && (
        <>
          <div className="system">
            <SupervisionTree tree={status.data.tree} />
            <div className="stack">
              <StoresPanel status={status.data} />
              <About status={status.data} />
              <QueueCounts queue={status.data.queue.counts} />
            </div>
          </div>
          <SandboxPanel report={status.data.sandbox} />
        </>
      )}
    </>
  );
}

function About({ status }: { readonly status: SystemStatus }): ReactElement {
  const now = useNow(1_000);
  const stream = useStreamState();
  const startedMs = millisOf(status.startedAt) ?? now;
  return (
    <section className="panel panel-body">
      <dl className="facts">
        <dt>Version</dt>
        <dd>{status.version}</dd>
        <dt>Up for</dt>
        <dd>{formatDuration(Math.max(status.uptimeMs, now - startedMs))}</dd>
        <dt>Since</dt>
        <dd>
          <Exact time={status.startedAt} />
        </dd>
        <dt>Data folder</dt>
        <dd>
          <code>{status.home}</code>
        </dd>
        <dt>Live updates</dt>
        <dd>{stream === "live" ? "connected" : stream}</dd>
        <dt>API</dt>
        <dd className="cluster">
          <a href="/reference">Reference</a> <a href="/v1/openapi.json">OpenAPI</a>{" "}
          <a href="/metrics">Metrics</a>
        </dd>
        <dt>In a terminal</dt>
        <dd>
          <CommandLine command="homeostat doctor" />
        </dd>
      </dl>
    </section>
  );
}
