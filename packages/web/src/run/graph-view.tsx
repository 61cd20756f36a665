/** The run as a graph, live; a node leads to its step in the timeline. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, type ReactElement } from "react";
import type { RunDetail } from "../api/contract.ts";
import { runGraphQuery } from "../api/run-calls.ts";
import { GraphPicture } from "../graph/graph-picture.tsx";
import { stepsByPlace } from "../graph/graph-steps.ts";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

export function GraphView({ run }: { readonly run: RunDetail }): ReactElement {
  const query = useQuery(runGraphQuery(run.id, run.headSeq));
  const graph = query.data;
  const places = useMemo(
    () => stepsByPlace(run.steps, new Map(graph?.nodes.map(({ id, state }) => [id, state]))),
    [run.steps, graph],
  );
  if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (graph === undefined) return <Loading lines={8} />;
  return (
    <section className="panel" aria-label="Graph">
      <GraphPicture
        graph={graph}
        wrap={(node, drawn) => {
          const step = places.get(node.id);
          if (step === undefined) return drawn;
          return (
            <Link to="/runs/$runId" params={{ runId: run.id }} search={{ step }}>
              {drawn}
            </Link>
          );
        }}
      />
    </section>
  );
}
