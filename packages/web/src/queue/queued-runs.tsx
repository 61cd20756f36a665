/** Every run that is not over, in the order in which it is taken: what it waits for, and how far it is. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { RunSummary } from "../api/contract.ts";
import { queuedRunsQuery, queueQuery } from "../api/operations-queries.ts";
import { formatDuration } from "../format/duration.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Progress } from "../ui/progress.tsx";
import { runLooks } from "../ui/state.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { queueOrder, waitReason } from "./wait-reason.ts";

export function QueuedRuns(): ReactElement {
  const list = useQuery(queuedRunsQuery);
  if (list.isPending) return <Loading />;
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />;
  const runs = queueOrder(list.data.data);
  if (runs.length === 0) {
    return (
      <EmptyState title="The queue is empty">
        <p>Nothing runs and nothing waits. Submit a task, or let a schedule do it.</p>
        <div className="cluster">
          <Link className="button" data-look="primary" to="/new" search={{}}>
            New task
          </Link>
          <Link className="button" to="/schedules" search={{}}>
            Schedules
          </Link>
        </div>
      </EmptyState>
    );
  }
  return (
    <section className="panel queued" aria-labelledby="under-way">
      <header className="panel-head">
        <h2 id="under-way">{formatCount(runs.length, "run")} under way</h2>
        {list.data.nextCursor !== null && <span className="quiet small">the newest 200; there are more</span>}
      </header>
      <Rows runs={runs} />
    </section>
  );
}

function Rows({ runs }: { readonly runs: readonly RunSummary[] }): ReactElement {
  const limits = useQuery(queueQuery).data?.limits ?? [];
  const now = useNow(1_000);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col" className="queue-wide">
            Lane
          </th>
          <th scope="col">Waits for</th>
          <th scope="col" className="queue-wide">
            Progress
          </th>
          <th scope="col" className="queue-number">
            Age
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row key={run.id} run={run} now={now} why={waitReason(run, { limits }, now)} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly run: RunSummary;
  readonly now: number;
  /** Null when it waits for nothing: a worker has it. */
  readonly why: string | null;
}

function Row({ run, now, why }: RowProps): ReactElement {
  const look = runLooks[run.state];
  return (
    <tr>
      <td>
        <div className="queued-name">
          <StateGlyph look={look} label={look.label} />
          <div>
            <Link to="/runs/$runId" params={{ runId: run.id }} search={{}}>
              {run.workflow.name}
            </Link>
            <p className="quiet small">
              <code>{shortId(run.id)}</code> by {run.requester}
            </p>
          </div>
        </div>
      </td>
      <td className="queue-wide">{run.priority}</td>
      <td className="small queued-why">{why ?? <span className="quiet">A worker has it</span>}</td>
      <td className="queue-wide queued-progress">
        <Progress
          done={run.stepsDone}
          total={run.stepsTotal}
          tone={look.tone}
          label={`Steps of ${run.workflow.name}`}
        />
        {run.progress !== null && (
          <p className="quiet small">
            {run.progress.percent !== null && `${run.progress.percent} % `}
            {run.progress.text}
          </p>
        )}
      </td>
      <td className="queue-number small">{formatDuration(now - (millisOf(run.createdAt) ?? now))}</td>
    </tr>
  );
}
