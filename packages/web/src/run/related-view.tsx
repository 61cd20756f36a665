/** The family of a run: what it was made from, the run it works for, the runs of its steps, and those made from it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { RunDetail } from "../api/contract.ts";
import { madeFromQuery } from "../api/run-calls.ts";
import { shortId } from "../format/quantity.ts";
import { RunTable } from "../runs/run-table.tsx";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import "../runs/runs-page.css";

export function RelatedView({ run }: { readonly run: RunDetail }): ReactElement {
  const made = useInfiniteQuery(madeFromQuery(run.id));
  const runs = made.data?.pages.flatMap((page) => page.data) ?? [];
  const ofSteps = new Set(run.steps.flatMap(({ childRunId }) => childRunId ?? []));
  const children = runs.filter(({ id }) => ofSteps.has(id));
  const others = runs.filter(({ id }) => !ofSteps.has(id));
  return (
    <section className="stack" aria-label="Related runs">
      <Above run={run} />
      {made.isPending && <Loading lines={3} />}
      {made.isError && <ProblemNotice error={made.error} onRetry={() => void made.refetch()} />}
      {children.length > 0 && (
        <Part title="Runs of its steps">
          <RunTable runs={children} />
        </Part>
      )}
      {made.isSuccess && (
        <Part title="Made from it">
          {others.length > 0 ? (
            <>
              <RunTable runs={others} />
              <ul className="related-compare">
                {others.slice(0, 10).map(({ id }) => (
                  <li key={id}>
                    <Link to="/compare" search={{ a: run.id, b: id }}>
                      Compare with {shortId(id)}
                    </Link>
                  </li>
                ))}
              </ul>
            </>
          ) : (
            <p className="quiet">No run was made again or forked from this one.</p>
          )}
        </Part>
      )}
      {made.hasNextPage && (
        <Button icon="down" busy={made.isFetchingNextPage} onClick={() => void made.fetchNextPage()}>
          Older runs
        </Button>
      )}
      <p>
        <Link className="button" to="/compare" search={{ a: run.id }}>
          <Icon name="branch" size={14} />
          Compare with another run
        </Link>
      </p>
    </section>
  );
}

function Above({ run }: { readonly run: RunDetail }): ReactElement | null {
  const { origin, parent } = run;
  if (origin !== null) {
    return (
      <Part title={origin.kind === "fork" ? "Forked from" : "Made again from"}>
        <p>
          <Link to="/runs/$runId" params={{ runId: origin.run }} search={{}}>
            {shortId(origin.run)}
          </Link>
          , {origin.seq === 0 ? "from the beginning" : `as it was after its event ${origin.seq}`}.{" "}
          <Link to="/compare" search={{ a: origin.run, b: run.id }}>
            Compare the two
          </Link>
        </p>
      </Part>
    );
  }
  if (parent === null) return null;
  return (
    <Part title="Works for">
      <p>
        A step of{" "}
        <Link to="/runs/$runId" params={{ runId: parent }} search={{}}>
          {shortId(parent)}
        </Link>{" "}
        waits for this run.
      </p>
    </Part>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="related-part">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
