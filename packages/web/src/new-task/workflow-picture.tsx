/** The graph of a workflow before it runs. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { workflowGraphQuery } from "../api/run-calls.ts";
import { GraphPicture } from "../graph/graph-picture.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

/** `text` must be valid; a faulty one shows the server's problem. */
export function WorkflowPicture({ text }: { readonly text: string }): ReactElement {
  const query = useQuery(workflowGraphQuery(text));
  if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <section className="panel" aria-label="Graph of the workflow">
      <header className="panel-head">
        <h2>Graph</h2>
      </header>
      {query.data === undefined ? <Loading lines={5} /> : <GraphPicture graph={query.data} />}
    </section>
  );
}
