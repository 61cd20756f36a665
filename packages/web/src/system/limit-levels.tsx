/** Rates, quotas and places with how far all processes have used them, what was held back, and the circuit breakers. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { limitsQuery } from "../api/operations-queries.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Exact } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Progress } from "../ui/progress.tsx";
import { BreakerList } from "./breaker-list.tsx";
import { groupLimits, type LimitGroup, type LimitLevel } from "./limit-groups.ts";
import { LimitProcesses } from "./limit-processes.tsx";
import { LimitRefusals } from "./limit-refusals.tsx";
import "./limit-levels.css";

export function LimitLevels(): ReactElement {
  const limits = useQuery(limitsQuery);
  if (limits.isPending) return <Loading />;
  if (limits.isError) return <ProblemNotice error={limits.error} onRetry={() => void limits.refetch()} />;
  const groups = groupLimits(limits.data);
  const { processes, refusals } = limits.data;
  return (
    <>
      {groups.length === 0 && <NoLimits />}
      {groups.length > 0 && (
        <section className="panel" aria-labelledby="limits-used">
          <header className="panel-head">
            <h2 id="limits-used">Rates, quotas and places</h2>
            <span className="quiet small">
              {processes.length === 1 ? "of this server" : "of all processes together"}
            </span>
          </header>
          <ul className="limits">
            {groups.map((group) => (
              <Group key={group.name} group={group} />
            ))}
          </ul>
        </section>
      )}
      <BreakerList limits={limits.data} />
      <LimitRefusals refusals={refusals} />
      {processes.length > 1 && <LimitProcesses processes={processes} />}
      <CommandLine command="homeostat limits" />
    </>
  );
}

function Group({ group }: { readonly group: LimitGroup }): ReactElement {
  return (
    <li>
      <h3>
        {group.name} <span className="quiet">{group.text}</span>
      </h3>
      {group.levels.length === 0 && <p className="quiet small">Nothing is used of it at the moment.</p>}
      <ul>
        {group.levels.map((level) => (
          <Level key={level.whose} level={level} of={group.name} />
        ))}
      </ul>
    </li>
  );
}

function Level({ level, of }: { readonly level: LimitLevel; readonly of: string }): ReactElement {
  const isFull = level.used >= level.count;
  return (
    <li className="limit-row">
      <code className="small">{level.whose}</code>
      <Progress
        done={level.used}
        total={level.count}
        tone={isFull ? "waiting" : "accent"}
        label={`Used of ${of} by ${level.whose}`}
      />
      <span className="quiet small">
        {isFull && (
          <span className="chip" data-tone="waiting">
            used up
          </span>
        )}{" "}
        {level.note}
        {level.endsAt !== null && (
          <>
            begins anew <Exact time={level.endsAt} />
          </>
        )}
      </span>
    </li>
  );
}

function NoLimits(): ReactElement {
  return (
    <EmptyState title="No limits are configured">
      <p>
        Add <code>limits.rates</code>, <code>limits.quotas</code> or <code>limits.atOnce</code> to{" "}
        <code>homeostat.yaml</code>, for example so many messages per user and hour. Limits on whole runs, by
        tenant and workflow, are under <code>queue.limits</code> and stand on the page Queue.
      </p>
    </EmptyState>
  );
}
