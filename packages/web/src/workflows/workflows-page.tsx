/** Registered workflows: what can be run by name, what starts by itself, and how the last runs went. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { lastRunsQuery, workflowsQuery, type RegisteredWorkflow } from "../api/workflow-calls.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading, Page } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { runLooks } from "../ui/state.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { RegisterWorkflow } from "./register-workflow.tsx";
import { TriggerChips } from "./trigger-chips.tsx";
import "./workflows.css";

const route = getRouteApi("/workflows");

export function WorkflowsPage(): ReactElement {
  const { view } = route.useSearch();
  if (view === "new") {
    return (
      <Page
        title="Register a workflow"
        above={
          <Link to="/workflows" search={{}} className="small">
            Workflows
          </Link>
        }
        lead="Under its name it can be run by anybody, be started by its triggers, and be a step of others."
      >
        <RegisterWorkflow />
      </Page>
    );
  }
  return (
    <Page
      title="Workflows"
      lead="Registered under a name; another text under the same name is the next version."
      actions={
        <Link className="button" data-look="primary" to="/workflows" search={{ view: "new" }}>
          <Icon name="plus" size={14} />
          Register a workflow
        </Link>
      }
    >
      <WorkflowList />
    </Page>
  );
}

function WorkflowList(): ReactElement {
  const list = useQuery(workflowsQuery);
  if (list.isPending) return <Loading />;
  if (list.isError) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data.length === 0) {
    return (
      <section className="panel">
        <EmptyState title="No workflow is registered">
          <p>
            A registered workflow runs by its name, on its schedule, when its webhook is called, or as a step
            of another one.
          </p>
          <Link className="button" data-look="primary" to="/workflows" search={{ view: "new" }}>
            Register a workflow
          </Link>
          <CommandLine command="homeostat workflow add FILE" />
        </EmptyState>
      </section>
    );
  }
  return (
    <ul className="panel workflow-list">
      {list.data.map((workflow) => (
        <Row key={workflow.name} workflow={workflow} />
      ))}
    </ul>
  );
}

function Row({ workflow }: { readonly workflow: RegisteredWorkflow }): ReactElement {
  return (
    <li>
      <div className="workflow-what">
        <p>
          <Link className="workflow-name" to="/workflows/$name" params={{ name: workflow.name }} search={{}}>
            {workflow.name}
          </Link>{" "}
          <span className="chip">version {workflow.version}</span>
        </p>
        {workflow.description !== null && <p className="quiet small">{workflow.description}</p>}
        <TriggerChips triggers={workflow.triggers} />
      </div>
      <LastRuns name={workflow.name} />
      <p className="quiet small workflow-added">
        {workflow.addedBy}, <Ago time={workflow.addedAt} />
      </p>
    </li>
  );
}

const runsShown = 6;

/** The last runs as their signs, the newest first. */
export function LastRuns({ name }: { readonly name: string }): ReactElement {
  const runs = useQuery(lastRunsQuery(name, runsShown)).data ?? [];
  return (
    <ul className="workflow-runs" aria-label={`Last runs of ${name}`}>
      {runs.map((run) => (
        <li key={run.id}>
          <Link
            to="/runs/$runId"
            params={{ runId: run.id }}
            search={{}}
            title={`${runLooks[run.state].label}, ${run.createdAt}`}
          >
            <StateGlyph look={runLooks[run.state]} size={16} label={runLooks[run.state].label} />
          </Link>
        </li>
      ))}
      {runs.length === 0 && <li className="quiet small">no run yet</li>}
    </ul>
  );
}
