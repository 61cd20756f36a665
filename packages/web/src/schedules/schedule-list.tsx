/** Every schedule with its next time in its own zone and the viewer's, and how its last run went. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Schedule } from "../api/operations-calls.ts";
import { schedulesQuery } from "../api/operations-queries.ts";
import { millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";
import { ScheduleActions } from "./schedule-actions.tsx";
import { timingText } from "./schedule-text.ts";
import { formatInZone, formatUntil, viewerZone } from "./zone-time.ts";

export function ScheduleList(): ReactElement {
  const list = useInfiniteQuery(schedulesQuery);
  const schedules = list.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <>
      {list.isPending && <Loading />}
      {list.isError && <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && schedules.length === 0 && <NoSchedules />}
      {schedules.length > 0 && (
        <ul className="panel schedules" aria-label="Schedules">
          {schedules.map((schedule) => (
            <Row key={schedule.id} schedule={schedule} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} icon="down" onClick={() => void list.fetchNextPage()}>
          More schedules
        </Button>
      )}
    </>
  );
}

function Row({ schedule }: { readonly schedule: Schedule }): ReactElement {
  const look = scheduleLook(schedule);
  return (
    <li>
      <StateGlyph look={look} label={look.label} size={18} />
      <div className="schedule-main">
        <h2>
          <Link to="/schedules" search={{ name: schedule.name }}>
            {schedule.name}
          </Link>
        </h2>
        <p className="small">{timingText(schedule)}</p>
        <p className="quiet small">
          runs {schedule.workflowName} for {schedule.createdBy}
          {schedule.source === "trigger" && "; stands in the workflow's file"}
        </p>
        {schedule.lastError !== null && (
          <p className="small schedule-error">
            {schedule.lastError.message} <code>{schedule.lastError.code}</code>
          </p>
        )}
      </div>
      <div className="schedule-when small">
        <NextTime schedule={schedule} />
        <LastRun schedule={schedule} />
      </div>
      <ScheduleActions schedule={schedule} />
    </li>
  );
}

/** The next time by the schedule's clock, and by the viewer's where that is another. */
export function NextTime({ schedule }: { readonly schedule: Schedule }): ReactElement {
  const now = useNow(1_000, schedule.nextAt !== null);
  const nextMs = millisOf(schedule.nextAt);
  if (schedule.paused) return <p>Paused</p>;
  if (nextMs === null) return <p>Never again</p>;
  const own = schedule.timezone ?? viewerZone();
  const viewer = viewerZone();
  return (
    <>
      <p>
        Next <strong>{formatUntil(nextMs, now)}</strong>
      </p>
      <p className="quiet">
        <time dateTime={schedule.nextAt ?? ""}>{formatInZone(nextMs, own)}</time> {own}
      </p>
      {formatInZone(nextMs, own) !== formatInZone(nextMs, viewer) && (
        <p className="quiet">{formatInZone(nextMs, viewer)} here</p>
      )}
    </>
  );
}

export function LastRun({ schedule }: { readonly schedule: Schedule }): ReactElement {
  if (schedule.lastRunId === null) return <p className="quiet">Has not run yet</p>;
  return (
    <p>
      <Link to="/runs/$runId" params={{ runId: schedule.lastRunId }} search={{}}>
        Last run
      </Link>{" "}
      <Ago time={schedule.lastAt} />
    </p>
  );
}

export function scheduleLook(schedule: Schedule): StateLook {
  if (schedule.lastError !== null) return { label: "Last time failed", tone: "failed", glyph: "octagon" };
  if (schedule.paused) return { label: "Paused", tone: "idle", glyph: "slash" };
  if (schedule.waitingAt !== null)
    return { label: "Waits for the run before", tone: "waiting", glyph: "diamond" };
  return { label: "Active", tone: "done", glyph: "check" };
}

function NoSchedules(): ReactElement {
  return (
    <EmptyState title="Nothing runs by itself yet">
      <p>
        A schedule runs a workflow at the times of a cron expression or at an interval, and says what becomes
        of times that were missed. Workflows can bring their own under <code>triggers</code>.
      </p>
      <Link className="button" data-look="primary" data-size="large" to="/schedules" search={{ view: "new" }}>
        New schedule
      </Link>
      <CommandLine command='homeostat schedule add nightly --cron "0 2 * * *" --timezone Europe/Berlin --workflow brand-audit' />
    </EmptyState>
  );
}
