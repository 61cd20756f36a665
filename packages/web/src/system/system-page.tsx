/** How the runtime itself is: its parts, what the sandbox can do here, the queue, and every setting with its origin. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { PartStatus, SystemStatus } from "../api/contract.ts";
import { statusQuery } from "../api/queries.ts";
import { formatDuration } from "../format/duration.ts";
import { useNow } from "../live/now.ts";
import { useStreamState } from "../live/live-updates.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Exact } from "../ui/moment.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { healthLooks } from "../ui/state.ts";
import { StateBadge, StateGlyph } from "../ui/state-glyph.tsx";
import { millisOf } from "../format/time.ts";
import { ConfigTable } from "./config-table.tsx";
import { QueueCounts } from "./queue-counts.tsx";
import { SandboxPanel } from "./sandbox-panel.tsx";
import "./system-page.css";

export function SystemPage(): ReactElement {
  const status = useQuery(statusQuery);
  return (
    <Page title="System" lead="How the runtime itself is, on this machine.">
      {status.isPending && <Loading lines={6} />}
      {status.isError && <ProblemNotice error={status.error} onRetry={() => void status.refetch()} />}
      {status.data !== undefined && (
        <>
          <div className="system">
            <Parts parts={status.data.parts} />
            <div className="stack">
              <About status={status.data} />
              <QueueCounts queue={status.data.queue.counts} />
            </div>
          </div>
          <SandboxPanel report={status.data.sandbox} />
        </>
      )}
      <ConfigTable />
    </Page>
  );
}

function Parts({ parts }: { readonly parts: readonly PartStatus[] }): ReactElement {
  const well = parts.filter((part) => part.health.kind === "ok").length;
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Parts</h2>
        <span className="quiet small">
          {well} of {parts.length} well
        </span>
      </header>
      <ul className="parts">
        {parts.map((part) => (
          <li key={part.name}>
            <StateGlyph look={healthLooks[part.health.kind]} label={healthLooks[part.health.kind].label} />
            <span>{part.name}</span>
            <span className="quiet small">{part.health.detail}</span>
            {part.health.kind !== "ok" && <StateBadge look={healthLooks[part.health.kind]} />}
          </li>
        ))}
      </ul>
    </section>
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
          <CommandLine command="npx homeostat doctor" />
        </dd>
      </dl>
    </section>
  );
}
