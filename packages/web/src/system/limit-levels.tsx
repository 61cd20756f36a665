/** Rates, quotas and places with how far each is used, and the circuit breakers that hold calls back. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { Limits } from "../api/operations-calls.ts";
import { limitsQuery } from "../api/operations-queries.ts";
import { formatCountdown } from "../format/duration.ts";
import { formatCount } from "../format/quantity.ts";
import { millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago, Exact } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Progress } from "../ui/progress.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";
import { groupLimits, type LimitGroup } from "./limit-groups.ts";
import "./limit-levels.css";

export function LimitLevels(): ReactElement {
  const limits = useQuery(limitsQuery);
  if (limits.isPending) return <Loading />;
  if (limits.isError) return <ProblemNotice error={limits.error} onRetry={() => void limits.refetch()} />;
  const groups = groupLimits(limits.data);
  return (
    <>
      {groups.length === 0 && <NoLimits />}
      {groups.length > 0 && (
        <section className="panel" aria-labelledby="limits-used">
          <header className="panel-head">
            <h2 id="limits-used">Rates, quotas and places</h2>
            <span className="quiet small">as this process knows them; quotas hold for all</span>
          </header>
          <ul className="limits">
            {groups.map((group) => (
              <Group key={group.name} group={group} />
            ))}
          </ul>
        </section>
      )}
      <Refusals refusals={limits.data.refusals} />
      <Breakers breakers={limits.data.breakers} />
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
        {group.levels.map((level) => {
          const isFull = level.used >= level.count;
          return (
            <li className="limit-row" key={level.whose}>
              <code className="small">{level.whose}</code>
              <Progress
                done={level.used}
                total={level.count}
                tone={isFull ? "waiting" : "accent"}
                label={`Used of ${group.name} by ${level.whose}`}
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
        })}
      </ul>
    </li>
  );
}

const kindWords: Readonly<Record<Limits["refusals"][number]["kind"], string>> = {
  rate: "rate",
  quota: "quota",
  bulkhead: "places at once",
};

function Refusals({ refusals }: Pick<Limits, "refusals">): ReactElement {
  return (
    <section className="panel" aria-labelledby="refusals">
      <header className="panel-head">
        <h2 id="refusals">Held back</h2>
        <span className="quiet small">
          by this process since it started; nothing is lost, steps come again
        </span>
      </header>
      {refusals.length === 0 && <p className="panel-body quiet">No limit has held an action back.</p>}
      {refusals.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Limit</th>
              <th scope="col">Times</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {refusals.map(({ kind, limit, count, lastAt }) => (
              <tr key={`${kind} ${limit}`}>
                <td className="refusal-limit">
                  <strong>{limit}</strong> <span className="quiet small">{kindWords[kind]}</span>
                </td>
                <td>{count.toLocaleString("en-GB")}</td>
                <td className="quiet">
                  <Ago time={lastAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

type Breaker = Limits["breakers"][number];

const breakerLooks: Readonly<Record<Breaker["state"], StateLook>> = {
  counting: { label: "Closed, counting failures", tone: "idle", glyph: "ring" },
  open: { label: "Open", tone: "failed", glyph: "octagon" },
  probing: { label: "Trying one call", tone: "moving", glyph: "arc" },
};

function Breakers({ breakers }: { readonly breakers: readonly Breaker[] }): ReactElement {
  const now = useNow(1_000, breakers.length > 0);
  return (
    <section className="panel" aria-labelledby="breakers">
      <header className="panel-head">
        <h2 id="breakers">Circuit breakers</h2>
        <span className="quiet small">five failures in a row open one for 30 s</span>
      </header>
      {breakers.length === 0 && (
        <p className="panel-body quiet">No host and no tool has failed lately: every breaker is closed.</p>
      )}
      <ul className="parts">
        {breakers.map(({ target, state, failures, openUntil }) => {
          const leftMs = (millisOf(openUntil) ?? now) - now;
          return (
            <li key={target}>
              <span aria-hidden="true" />
              <code>{target}</code>
              <span className="quiet small">
                {formatCount(failures, "failure")} in a row
                {state === "open" && `; one call is tried in ${formatCountdown(leftMs)}`}
              </span>
              <StateBadge look={breakerLooks[state]} />
            </li>
          );
        })}
      </ul>
    </section>
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
