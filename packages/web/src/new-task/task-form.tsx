/** Inputs, options and the run button, beside the outline of what will happen; the same for an example and for own YAML. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import type { TaskSubmission } from "../api/contract.ts";
import { formatCount } from "../format/quantity.ts";
import { Button } from "../ui/button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { InputForm } from "./input-form.tsx";
import { readInputs, type FieldValues } from "./input-values.ts";
import { Outline } from "./outline.tsx";
import type { WorkflowSketch } from "./read-workflow.ts";
import { defaultOptions, optionFields, TaskOptions } from "./task-options.tsx";

interface Props {
  readonly sketch: WorkflowSketch;
  /** What is run: an example or a registered workflow by name, or a text with files. */
  readonly source: Pick<TaskSubmission, "example" | "registered" | "workflow" | "files">;
  /** Why it may not run yet; null when it may. */
  readonly blockedBy?: string | null;
}

export function TaskForm({ sketch, source, blockedBy = null }: Props): ReactElement {
  const navigate = useNavigate();
  const [values, setValues] = useState<FieldValues>({});
  const [options, setOptions] = useState(defaultOptions);
  const [hasTried, setTried] = useState(false);
  const { inputs, problems } = readInputs(sketch.inputs, values);
  const submit = useMutation({
    mutationFn: (task: TaskSubmission) => api.submit(task),
    onSuccess: (run) => void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: {} }),
  });
  const run = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problems).length === 0 && blockedBy === null) {
      submit.mutate({ ...source, inputs, ...optionFields(options) });
    }
  };
  return (
    <div className="task">
      <form className="panel" onSubmit={run}>
        <header className="panel-head">
          <h2>Inputs</h2>
          <div className="task-actions">
            <Button
              type="submit"
              look="primary"
              icon="play"
              busy={submit.isPending}
              disabled={blockedBy !== null}
            >
              Run {sketch.name}
            </Button>
            {blockedBy !== null && <p className="quiet small">{blockedBy}</p>}
          </div>
        </header>
        <div className="task-form">
          <InputForm
            definitions={sketch.inputs}
            values={values}
            onChange={setValues}
            problems={hasTried ? problems : {}}
          />
          <TaskOptions options={options} onChange={setOptions} />
          {submit.isError && <ProblemNotice error={submit.error} />}
        </div>
      </form>
      <section className="panel task-outline">
        <header className="panel-head">
          <h2>What will happen</h2>
          <span className="quiet small">
            {formatCount(sketch.outline.filter((step) => step.kind !== "case").length, "step")}
          </span>
        </header>
        <Outline steps={sketch.outline} />
      </section>
    </div>
  );
}
