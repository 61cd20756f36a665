/** One registered workflow: run it, its graph, its text, versions, triggers and last runs. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState, type ReactElement } from "react";
import {
  lastRunsQuery,
  workflowApi,
  workflowQuery,
  workflowsQuery,
  type WorkflowDetail,
} from "../api/workflow-calls.ts";
import { CodeView } from "../code-view/code-view.tsx";
import { readWorkflow } from "../new-task/read-workflow.ts";
import { TaskForm } from "../new-task/task-form.tsx";
import { WorkflowPicture } from "../new-task/workflow-picture.tsx";
import { RunTable } from "../runs/run-table.tsx";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Digest } from "../ui/digest.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { RegisterWorkflow } from "./register-workflow.tsx";
import { TriggerChips } from "./trigger-chips.tsx";
import { workflowTabs, type WorkflowTab } from "./workflow-tabs.ts";
import "../new-task/new-task-page.css";
import "../runs/runs-page.css";
import "./workflows.css";

const route = getRouteApi("/workflows/$name");

const tabNames: Readonly<Record<WorkflowTab, string>> = {
  run: "Run",
  graph: "Graph",
  text: "Text",
  edit: "New version",
  runs: "Last runs",
};

export function WorkflowPage(): ReactElement {
  const { name } = route.useParams();
  const { tab = "run", version } = route.useSearch();
  const query = useQuery(workflowQuery(name, version));
  const workflow = query.data;
  return (
    <Page
      title={name}
      above={
        <Link to="/workflows" search={{}} className="small">
          Workflows
        </Link>
      }
      lead={workflow === undefined ? undefined : <Facts workflow={workflow} />}
      actions={workflow === undefined ? undefined : <RemoveButton name={name} />}
    >
      {query.isPending && <Loading />}
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      {workflow !== undefined && (
        <>
          <Tabs label="Views of this workflow">
            {workflowTabs.map((view) => (
              <Link
                key={view}
                className="tab"
                to="/workflows/$name"
                params={{ name }}
                search={{
                  ...(view === "run" ? {} : { tab: view }),
                  ...(version === undefined ? {} : { version }),
                }}
                activeOptions={{ exact: true }}
                aria-current={tab === view ? "page" : undefined}
              >
                {tabNames[view]}
              </Link>
            ))}
          </Tabs>
          <View tab={tab} workflow={workflow} version={version} />
        </>
      )}
    </Page>
  );
}

interface ViewProps {
  readonly tab: WorkflowTab;
  readonly workflow: WorkflowDetail;
  /** The one the address names; else the newest. */
  readonly version: number | undefined;
}

function View({ tab, workflow, version }: ViewProps): ReactElement {
  switch (tab) {
    case "run":
      return <RunForm workflow={workflow} />;
    case "graph":
      return <WorkflowPicture text={workflow.workflowText} />;
    case "text":
      return (
        <section className="panel">
          <header className="panel-head">
            <h2>Version {workflow.version}</h2>
            <span className="cluster small quiet">
              <Digest value={workflow.digest} what="workflow digest" />
              <CopyButton text={workflow.workflowText} what="workflow" />
            </span>
          </header>
          <CodeView text={workflow.workflowText} label={`Workflow ${workflow.name}`} />
        </section>
      );
    case "edit":
      // Not by the version it has: a new one must not take away what was said of it, such as a secret shown once.
      return <RegisterWorkflow key={version ?? "newest"} text={workflow.workflowText} />;
    case "runs":
      return <Runs name={workflow.name} />;
  }
}

/** The newest version runs by its name; an older one as a text of its own. */
function RunForm({ workflow }: { readonly workflow: WorkflowDetail }): ReactElement {
  const sketch = useMemo(() => readWorkflow(workflow.workflowText), [workflow.workflowText]);
  const newest = Math.max(...workflow.versions.map(({ version }) => version));
  const isNewest = workflow.version === newest;
  if (sketch === null) return <p>Its text cannot be read here; the server runs it all the same.</p>;
  return (
    <>
      {!isNewest && (
        <p className="small">
          This is version {workflow.version}; the newest is {newest}.
        </p>
      )}
      <TaskForm
        key={workflow.version}
        sketch={sketch}
        source={isNewest ? { registered: workflow.name } : { workflow: workflow.workflowText }}
      />
      {isNewest && (
        <div className="task-cli">
          <span className="quiet small">The same from a terminal:</span>
          <CommandLine command={`homeostat run ${workflow.name}`} />
        </div>
      )}
    </>
  );
}

function Runs({ name }: { readonly name: string }): ReactElement {
  const query = useQuery(lastRunsQuery(name, 25));
  if (query.isPending) return <Loading />;
  if (query.isError) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data.length === 0)
    return (
      <EmptyState title="It has not run yet">
        <p>
          Its runs stand here, the newest first, however they began: by hand, on a schedule, by a webhook or
          in another run.
        </p>
        <CommandLine command={`homeostat run ${name}`} />
      </EmptyState>
    );
  return (
    <div className="stack">
      <RunTable runs={query.data} />
      <p>
        <Link to="/" search={{ workflow: name }}>
          All runs of {name}
        </Link>
      </p>
    </div>
  );
}

function Facts({ workflow }: { readonly workflow: WorkflowDetail }): ReactElement {
  const { tab } = route.useSearch();
  return (
    <div className="workflow-facts">
      {workflow.description !== null && <p>{workflow.description}</p>}
      <nav className="pills" aria-label="Versions">
        {workflow.versions
          .toSorted((a, b) => b.version - a.version)
          .map(({ version, addedAt }) => (
            <Link
              key={version}
              className="pill"
              to="/workflows/$name"
              params={{ name: workflow.name }}
              search={{ ...(tab === undefined ? {} : { tab }), version }}
              activeOptions={{ exact: true }}
              aria-current={version === workflow.version ? "page" : undefined}
            >
              Version {version}
              <span className="pill-count">
                <Ago time={addedAt} />
              </span>
            </Link>
          ))}
      </nav>
      <TriggerChips triggers={workflow.triggers} />
    </div>
  );
}

function RemoveButton({ name }: { readonly name: string }): ReactElement {
  const [isAsking, setAsking] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const announce = useAnnounce();
  const remove = useMutation({
    mutationFn: () => workflowApi.remove(name),
    onSuccess: async () => {
      announce(`${name} is no longer registered`);
      await navigate({ to: "/workflows", search: {} });
      await client.invalidateQueries({ queryKey: workflowsQuery.queryKey });
    },
  });
  return (
    <>
      <Button look="danger" icon="bin" onClick={() => setAsking(true)}>
        Remove
      </Button>
      {isAsking && (
        <Dialog title={`Remove ${name}?`} onClose={() => setAsking(false)}>
          <p>
            New runs can no longer use it, and its triggers end: schedules stop and webhooks answer no more.
            Runs that use it go on; their journals keep its text.
          </p>
          {remove.isError && <ProblemNotice error={remove.error} />}
          <div className="dialog-actions">
            <Button onClick={() => setAsking(false)}>Keep it</Button>
            <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
              Remove
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
