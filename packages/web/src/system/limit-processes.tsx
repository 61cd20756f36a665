/** Which process told what of limits: each with its own rates, places and breakers, for whoever wonders where a total comes from. */
import type { ReactElement } from "react";
import type { Limits } from "../api/operations-calls.ts";
import { formatCount } from "../format/quantity.ts";
import { Ago } from "../ui/moment.tsx";
import { StateBadge } from "../ui/state-glyph.tsx";
import { breakerLooks } from "./breaker-list.tsx";
import { processName } from "./breaker-places.ts";
import { workerLooks } from "./worker-list.tsx";

type Process = Limits["processes"][number];

export function LimitProcesses({ processes }: Pick<Limits, "processes">): ReactElement {
  return (
    <section className="panel" aria-labelledby="limit-processes">
      <header className="panel-head">
        <h2 id="limit-processes">By process</h2>
        <span className="quiet small">each tells the others every 5 s, and of a breaker at once</span>
      </header>
      <ul className="limit-processes">
        {processes.map((process) => (
          <ProcessRow key={process.id} process={process} />
        ))}
      </ul>
    </section>
  );
}

function ProcessRow({ process }: { readonly process: Process }): ReactElement {
  const { isAnswering, state, leftOut, buckets, bulkheads, breakers } = process;
  const isIdle = buckets.length + bulkheads.length + breakers.length === 0;
  return (
    <li>
      <div className="limit-process-head">
        <strong>{processName(process)}</strong>
        {isAnswering && <span className="chip">answers this page</span>}
        <span className="quiet small">
          <Told process={process} />
          {state === "silent" && "; not heard of lately, so it is in no total"}
        </span>
        <StateBadge look={workerLooks[state]} />
      </div>
      {isIdle && <p className="quiet small">Nothing is used or has failed here.</p>}
      {!isIdle && (
        <ul className="limit-process-facts">
          {breakers.map((breaker) => (
            <li key={`breaker ${breaker.target}`}>
              <code className="small">{breaker.target}</code>{" "}
              <span className="quiet small">
                {formatCount(breaker.failures, "failure")} in a row,{" "}
                {breakerLooks[breaker.state].label.toLowerCase()}
              </span>
            </li>
          ))}
          {bulkheads.map(({ key, inUse, atOnce, waiting }) => (
            <li key={`places ${key}`}>
              <code className="small">{key}</code>{" "}
              <span className="quiet small">
                {inUse} of {formatCount(atOnce, "place")} in use{waiting > 0 && `, ${waiting} in line`}
              </span>
            </li>
          ))}
          {buckets.map(({ key, left, count }) => (
            <li key={`rate ${key}`}>
              <code className="small">{key}</code>{" "}
              <span className="quiet small">
                {Math.floor(left)} of {count} left
              </span>
            </li>
          ))}
        </ul>
      )}
      {leftOut > 0 && <p className="quiet small">{leftOut} more were too many to be told.</p>}
    </li>
  );
}

function Told({ process: { isAnswering, reportedAt } }: { readonly process: Process }): ReactElement {
  if (isAnswering) return <>as of now</>;
  if (reportedAt === null) return <>has told nothing yet</>;
  return (
    <>
      changed <Ago time={reportedAt} />
    </>
  );
}
