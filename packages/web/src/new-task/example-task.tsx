/** Starts from an example that ships with Homeostat. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, type ReactElement } from "react";
import type { Example } from "../api/contract.ts";
import { examplesQuery } from "../api/queries.ts";
import { CodeView } from "../code-view/code-view.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Icon } from "../ui/icon.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { readWorkflow } from "./read-workflow.ts";
import { TaskForm } from "./task-form.tsx";
import { WorkflowPicture } from "./workflow-picture.tsx";

const route = getRouteApi("/new");

export function ExampleTask(): ReactElement {
  const { example: wanted } = route.useSearch();
  const examples = useQuery(examplesQuery);
  if (examples.isPending) return <Loading />;
  if (examples.isError)
    return <ProblemNotice error={examples.error} onRetry={() => void examples.refetch()} />;
  const chosen = examples.data.find((example) => example.name === wanted) ?? examples.data[0];
  if (chosen === undefined) {
    return (
      <EmptyState title="No examples on this machine">
        <p>Bring a workflow of your own instead.</p>
        <Link to="/new" search={{ from: "file" }}>
          Own workflow
        </Link>
      </EmptyState>
    );
  }
  return (
    <>
      <ul className="examples">
        {examples.data.map((example) => (
          <li key={example.name}>
            <Link
              className="example panel"
              to="/new"
              search={{ example: example.name }}
              activeOptions={{ exact: true }}
              aria-current={example === chosen ? "true" : undefined}
            >
              <Icon name="file" size={18} />
              <span>
                <strong>{example.name}</strong>
                <span className="quiet small">{example.description}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
      <ChosenExample key={chosen.name} example={chosen} />
    </>
  );
}

function ChosenExample({ example }: { readonly example: Example }): ReactElement {
  const sketch = useMemo(() => readWorkflow(example.workflowText), [example]);
  if (sketch === null) return <p>The example cannot be read; the list of its steps is in its file.</p>;
  return (
    <>
      <TaskForm sketch={sketch} source={{ example: example.name }} />
      <div className="task-cli">
        <span className="quiet small">The same from a terminal:</span>
        <CommandLine command={`homeostat run examples/${example.name} --wait`} />
      </div>
      <WorkflowPicture text={example.workflowText} />
      <details className="panel workflow-source">
        <summary>
          <Icon name="right" size={12} />
          The workflow as it is written
        </summary>
        <CodeView text={example.workflowText} label={`Workflow ${example.name}`} />
      </details>
    </>
  );
}
