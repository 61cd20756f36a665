/** One schedule: its next times in two zones, how it is set up, and the runs it made. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { ScheduleDetail as Detail } from "../api/operations-calls.ts";
import { scheduleQuery, scheduleRunsQuery } from "../api/operations-queries.ts";
import { formatDuration } from "../format/duration.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { useNow } from "../live/now.ts";
import { runDurationMs } from "../runs/run-time.ts";
import { Button } from "../ui/button.tsx";
import { Ago, Exact } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { runLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import { ScheduleActions } from "./schedule-actions.tsx";
import { LastRun, scheduleLook } from "./schedule-list.tsx";
import { missedTexts, overlapTexts, timingText } from "./schedule-text.ts";
import { TimeTable } from "./time-table.tsx";

export function ScheduleDetail({ name }: { readonly name: string }): ReactElement {
  const schedule = useQuery(scheduleQuery(name));
  return (
    <>
      {schedule.isPending && <Loading />}
      {schedule.isError && <ProblemNotice error={schedule.error} onRetry={() => void schedule.refetch()} />}
      {schedule.data !== undefined && (
        <>
          <div className="schedule-top">
            <StateBadge look={scheduleLook(schedule.data)} />
            <ScheduleActions schedule={schedule.data} />
          </div>
          <div className="schedule-detail">
            <Upcoming schedule={schedule.data} />
            <Setup schedule={schedule.data} />
          </div>
        </>
      )}
      <History name={name} />
    </>
  );
}

function Upcoming({ schedule }: { readonly schedule: Detail }): ReactElement {
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Next times</h2>
      </header>
      <div className="panel-body stack">
        <p>{timingText(schedule)}</p>
        {schedule.upcoming.length === 0 ? (
          <p className="quiet">{schedule.paused ? "None while it is paused." : "None any more."}</p>
        ) : (
          <TimeTable times={schedule.upcoming.map(Date.parse)} timezone={schedule.timezone} />
        )}
        {schedule.waitingAt !== null && (
          <p className="notice" data-tone="waiting">
            The time <Exact time={schedule.waitingAt} /> waits until the run before has ended.
          </p>
        )}
      </div>
    </section>
  );
}

function Setup({ schedule }: { readonly schedule: Detail }): ReactElement {
  const inputs = Object.keys(schedule.inputs).length;
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Set up</h2>
      </header>
      <dl className="facts panel-body">
        <dt>Workflow</dt>
        <dd>
          {schedule.workflowName}
          {schedule.source === "registered" && ", the newest registered version"}
          {schedule.source === "trigger" && ", as a trigger in its file"}
        </dd>
        <dt>{schedule.cron === null ? "Interval" : "Cron"}</dt>
        <dd>
          <code>{schedule.cron ?? schedule.every}</code>
        </dd>
        <dt>Missed times</dt>
        <dd>
          {missedTexts[schedule.missed]}
          {schedule.missed === "all" && `, at most ${schedule.missedCap}`}
        </dd>
        <dt>While the run before goes on</dt>
        <dd>{overlapTexts[schedule.overlap]}</dd>
        <dt>Passed over</dt>
        <dd>{formatCount(schedule.passed, "time")}</dd>
        <dt>Lane</dt>
        <dd>{schedule.priority}</dd>
        <dt>On behalf of</dt>
        <dd>
          {schedule.createdBy}, since <Ago time={schedule.createdAt} />
        </dd>
        <dt>Last run</dt>
        <dd>
          <LastRun schedule={schedule} />
        </dd>
        {inputs > 0 && (
          <>
            <dt>Inputs</dt>
            <dd>
              <pre className="schedule-inputs">{JSON.stringify(schedule.inputs, null, 2)}</pre>
            </dd>
          </>
        )}
        {schedule.lastError !== null && (
          <>
            <dt>Last error</dt>
            <dd className="schedule-error">
              {schedule.lastError.message} <code>{schedule.lastError.code}</code>{" "}
              <Ago time={schedule.lastError.at} />
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

function History({ name }: { readonly name: string }): ReactElement {
  const list = useInfiniteQuery(scheduleRunsQuery(name));
  const now = useNow(5_000);
  const runs = list.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <section className="panel schedule-history">
      <header className="panel-head">
        <h2>History</h2>
      </header>
      {list.isPending && <Loading />}
      {list.isError && <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && runs.length === 0 && (
        <p className="panel-body quiet">It has made no run yet. “Run now” makes one at once.</p>
      )}
      {runs.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">State</th>
              <th scope="col">Began</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => {
              const tookMs = runDurationMs(run, now);
              return (
                <tr key={run.id}>
                  <td>
                    <Link to="/runs/$runId" params={{ runId: run.id }} search={{}}>
                      <code>{shortId(run.id)}</code>
                    </Link>
                  </td>
                  <td>
                    <StateBadge look={runLooks[run.state]} />
                    {run.error !== null && <p className="quiet small">{run.error.message}</p>}
                  </td>
                  <td className="small">
                    <Ago time={run.createdAt} />
                  </td>
                  <td className="small nowrap">{tookMs === null ? "–" : formatDuration(tookMs)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {list.hasNextPage && (
        <div className="panel-body">
          <Button busy={list.isFetchingNextPage} icon="down" onClick={() => void list.fetchNextPage()}>
            Older runs
          </Button>
        </div>
      )}
    </section>
  );
}
