/** What runs: a registered workflow, or the text of one, with the inputs it takes. */
import { useQuery } from "@tanstack/react-query";
import { useId, type ReactElement } from "react";
import { workflowsQuery } from "../api/operations-queries.ts";
import { examplesQuery } from "../api/queries.ts";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { FilePicker } from "../new-task/file-picker.tsx";
import { InputForm } from "../new-task/input-form.tsx";
import type { Definitions } from "../new-task/input-values.ts";
import { Button } from "../ui/button.tsx";
import type { ScheduleFields } from "./schedule-form.ts";
import "../new-task/new-task-page.css";

interface Props {
  readonly fields: ScheduleFields;
  readonly onChange: (part: Partial<ScheduleFields>) => void;
  readonly definitions: Definitions;
  /** Null while the workflow is not read yet, or cannot be. */
  readonly isKnown: boolean;
  /** Shown once somebody tried to save. */
  readonly problems: Readonly<Record<string, string>>;
}

export function WorkflowFields(props: Props): ReactElement {
  const { fields, onChange, definitions, isKnown, problems } = props;
  const id = useId();
  return (
    <section className="panel" aria-labelledby={`${id}-head`}>
      <header className="panel-head">
        <h2 id={`${id}-head`}>What</h2>
        <div className="cluster">
          {(["registered", "text"] as const).map((source) => (
            <label className="check" key={source}>
              <input
                type="radio"
                name={`${id}-source`}
                checked={fields.source === source}
                onChange={() => onChange({ source })}
              />
              {source === "registered" ? "A registered workflow" : "A workflow's text"}
            </label>
          ))}
        </div>
      </header>
      <div className="panel-body stack">
        {fields.source === "registered" ? (
          <Registered fields={fields} onChange={onChange} />
        ) : (
          <WorkflowText fields={fields} onChange={onChange} />
        )}
        {isKnown && (
          <>
            <h3>Inputs</h3>
            <InputForm
              definitions={definitions}
              values={fields.inputs}
              problems={problems}
              onChange={(inputs) => onChange({ inputs })}
            />
          </>
        )}
      </div>
    </section>
  );
}

function Registered({ fields, onChange }: Pick<Props, "fields" | "onChange">): ReactElement {
  const id = useId();
  const workflows = useQuery(workflowsQuery).data ?? [];
  if (workflows.length === 0) {
    return (
      <p className="quiet">
        No workflow is registered. Register one with <code>homeostat workflow add FILE</code>, or give its
        text here.
      </p>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>Workflow</label>
      <select
        id={id}
        className="input"
        value={fields.workflowName}
        onChange={(event) => onChange({ workflowName: event.target.value, inputs: {} })}
      >
        <option value="">Choose</option>
        {workflows.map(({ name, description }) => (
          <option key={name} value={name}>
            {name}
            {description === null ? "" : ` – ${description}`}
          </option>
        ))}
      </select>
      <span className="field-hint">Its newest version at each time.</span>
    </div>
  );
}

function WorkflowText({ fields, onChange }: Pick<Props, "fields" | "onChange">): ReactElement {
  const examples = useQuery(examplesQuery).data ?? [];
  return (
    <>
      <CodeEditor
        label="Workflow"
        value={fields.workflowText}
        onChange={(workflowText) => onChange({ workflowText })}
        minLines={8}
      />
      <div className="cluster">
        <FilePicker
          label="Open a workflow file"
          accept=".yaml,.yml,application/yaml,text/yaml"
          onFiles={(picked) => void picked[0]?.text().then((workflowText) => onChange({ workflowText }))}
        />
        {examples.map(({ name, workflowText }) => (
          <Button key={name} look="plain" onClick={() => onChange({ workflowText, inputs: {} })}>
            Take {name}
          </Button>
        ))}
      </div>
    </>
  );
}
