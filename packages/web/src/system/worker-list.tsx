/** The processes that work on this database: what each has, how busy it is, when it was last heard of. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { Worker } from "../api/operations-calls.ts";
import { workersQuery } from "../api/operations-queries.ts";
import { formatCount } from "../format/quantity.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { Digest } from "../ui/digest.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Progress } from "../ui/progress.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";

export const workerLooks: Readonly<Record<Worker["state"], StateLook>> = {
  running: { label: "Running", tone: "done", glyph: "check" },
  stopping: { label: "Stopping", tone: "moving", glyph: "arc" },
  silent: { label: "Silent", tone: "waiting", glyph: "diamond" },
  gone: { label: "Gone", tone: "idle", glyph: "slash" },
};

export function WorkerList(): ReactElement {
  const answer = useQuery(workersQuery);
  const revisions = new Set(answer.data?.data.map((worker) => worker.policyRevision));
  return (
    <>
      {answer.isPending && <Loading />}
      {answer.isError && <ProblemNotice error={answer.error} onRetry={() => void answer.refetch()} />}
      {answer.data?.unmet.map(({ need, runs }) => (
        <p className="notice" data-tone="waiting" key={need}>
          {formatCount(runs, "run")} {runs === 1 ? "needs" : "need"} <code>{need}</code>, which no running
          process has. Start one that has it.
        </p>
      ))}
      {revisions.size > 1 && (
        <p className="notice" data-tone="waiting">
          The processes do not all have the same policy. Give each the same <code>policy.yaml</code>.
        </p>
      )}
      {answer.data !== undefined && (
        <ul className="workers">
          {answer.data.data.map((worker) => (
            <WorkerCard key={worker.id} worker={worker} />
          ))}
        </ul>
      )}
      <CommandLine command="homeostat up --role worker" />
    </>
  );
}

function WorkerCard({ worker }: { readonly worker: Worker }): ReactElement {
  return (
    <li className="panel">
      <header className="panel-head">
        <h2>
          {worker.host} <span className="quiet">process {worker.pid}</span>
        </h2>
        <StateBadge look={workerLooks[worker.state]} />
      </header>
      <div className="panel-body stack">
        {worker.concurrency > 0 ? (
          <div className="worker-places">
            <span className="small">Places in use</span>
            <Progress done={worker.active} total={worker.concurrency} tone="moving" label="Places in use" />
          </div>
        ) : (
          <p className="small">Serves the API alone; it drives no runs.</p>
        )}
        <dl className="facts">
          <dt>Role</dt>
          <dd>{worker.role === "all" ? "gateway and worker" : worker.role}</dd>
          <dt>Heard of</dt>
          <dd>
            <Ago time={worker.seenAt} />
          </dd>
          <dt>Started</dt>
          <dd>
            <Ago time={worker.startedAt} />
          </dd>
          <dt>Languages</dt>
          <dd>{worker.languages.length === 0 ? "none" : worker.languages.join(", ")}</dd>
          <dt>Roots</dt>
          <dd>{worker.roots.length === 0 ? "none" : worker.roots.join(", ")}</dd>
          <dt>Isolation</dt>
          <dd>{worker.isolation}</dd>
          <dt>Version</dt>
          <dd>{worker.version}</dd>
          <dt>Policy</dt>
          <dd>
            <Digest value={worker.policyRevision} what="revision of the policy" withCopy={false} />
          </dd>
          <dt>Address</dt>
          <dd>
            <code>{worker.url}</code>
          </dd>
        </dl>
      </div>
    </li>
  );
}
