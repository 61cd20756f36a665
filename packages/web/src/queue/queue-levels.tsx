/** The three lanes with what is in each and how long the oldest waits, and the limits on whole runs. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { queueQuery, workersQuery } from "../api/operations-queries.ts";
import type { QueueLevels as Levels } from "../api/operations-calls.ts";
import { formatDuration, formatSpan } from "../format/duration.ts";
import { formatCount } from "../format/quantity.ts";
import { millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Progress } from "../ui/progress.tsx";

export function QueueLevels(): ReactElement {
  const levels = useQuery(queueQuery);
  if (levels.isPending) return <Loading lines={2} />;
  if (levels.isError) return <ProblemNotice error={levels.error} onRetry={() => void levels.refetch()} />;
  const { lanes, limits, agingMinutes } = levels.data;
  return (
    <>
      <Unmet />
      <section aria-labelledby="lanes">
        <h2 id="lanes" className="visually-hidden">
          Lanes
        </h2>
        <ul className="lanes">
          {lanes.map((lane) => (
            <Lane key={lane.priority} lane={lane} />
          ))}
        </ul>
        <p className="quiet small">
          High is taken before normal, normal before low.
          {agingMinutes > 0 && ` A run that has been due for ${agingMinutes} min moves up a lane.`}
        </p>
      </section>
      {limits.length > 0 && <Limits limits={limits} />}
    </>
  );
}

function Lane({ lane }: { readonly lane: Levels["lanes"][number] }): ReactElement {
  const now = useNow(1_000, lane.oldestDueAt !== null);
  const oldestMs = millisOf(lane.oldestDueAt);
  return (
    <li className="panel lane" data-empty={lane.due + lane.held + lane.later === 0}>
      <h3>{lane.priority}</h3>
      <p className="lane-due">
        <strong>{lane.due.toLocaleString("en-GB")}</strong> due
      </p>
      <p className="small">
        {oldestMs === null ? "Nothing waits for a worker" : `Oldest waits ${formatDuration(now - oldestMs)}`}
      </p>
      <p className="quiet small">
        {lane.held} with a worker, {lane.later} later
      </p>
    </li>
  );
}

function Unmet(): ReactElement | null {
  const unmet = useQuery(workersQuery).data?.unmet ?? [];
  if (unmet.length === 0) return null;
  return (
    <ul className="stack">
      {unmet.map(({ need, runs }) => (
        <li className="notice" data-tone="waiting" key={need}>
          {formatCount(runs, "run")} {runs === 1 ? "needs" : "need"} <code>{need}</code>, which no running
          process has. Start one that has it.
        </li>
      ))}
    </ul>
  );
}

function Limits({ limits }: { readonly limits: Levels["limits"] }): ReactElement {
  return (
    <section className="panel queue-limits">
      <header className="panel-head">
        <h2>Limits on runs</h2>
        <span className="quiet small">
          from <code>queue.limits</code>
        </span>
      </header>
      <table>
        <thead>
          <tr>
            <th scope="col">Whose</th>
            <th scope="col">At once</th>
            <th scope="col">Begun</th>
            <th scope="col">Waiting</th>
          </tr>
        </thead>
        <tbody>
          {limits.map((limit) => (
            <tr key={`${limit.scope} ${limit.name}`}>
              <td>
                <span className="quiet">{limit.scope}</span> {limit.name}{" "}
                {limit.isFull && (
                  <span className="chip" data-tone="waiting">
                    full
                  </span>
                )}
              </td>
              <td>
                {limit.concurrency === null ? (
                  <span className="quiet">any number</span>
                ) : (
                  <Progress
                    done={limit.held}
                    total={limit.concurrency}
                    tone={limit.held >= limit.concurrency ? "waiting" : "moving"}
                    label={`Runs of ${limit.name} at once`}
                  />
                )}
              </td>
              <td>
                {limit.rate === null ? (
                  <span className="quiet">any number</span>
                ) : (
                  <>
                    {limit.begun ?? 0} of {limit.rate.count}{" "}
                    <span className="quiet">in {formatSpan(limit.rate.perMs)}</span>
                  </>
                )}
              </td>
              <td>{limit.due}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
