/** What went in, what came out, and the workflow exactly as this run has it. */
import type { ReactElement } from "react";
import type { RunDetail } from "../api/contract.ts";
import { CodeView } from "../code-view/code-view.tsx";
import { JsonView } from "../json-view/json-view.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Digest } from "../ui/digest.tsx";
import { endedStates } from "../ui/state.ts";
import "./values-view.css";

export function ValuesView({ run }: { readonly run: RunDetail }): ReactElement {
  const noOutputs = endedStates.has(run.state) ? "This run gave no outputs." : "The outputs come at the end.";
  return (
    <div className="stack">
      <div className="values">
        <section className="stack">
          <h2>Inputs</h2>
          <JsonView value={run.inputs} what="inputs" emptyText="This workflow was given no inputs." />
        </section>
        <section className="stack">
          <h2>Outputs</h2>
          <JsonView value={run.outputs} what="outputs" emptyText={noOutputs} />
        </section>
      </div>
      <section className="panel">
        <header className="panel-head">
          <h2>Workflow</h2>
          <div className="cluster small quiet">
            pinned at <Digest value={run.workflow.digest} what="workflow digest" />
            <CopyButton text={run.workflowText} what="workflow" />
          </div>
        </header>
        <CodeView text={run.workflowText} label="Workflow of this run" />
      </section>
    </div>
  );
}
