/** Writes a workflow with its check beside it and its graph below, and registers it as the next version under its name. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useRef, useState, type ReactElement } from "react";
import { workflowApi, workflowsQuery, type AddedWorkflow, type NewHook } from "../api/workflow-calls.ts";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { marksOf } from "../code-view/findings-list.tsx";
import { goToLine } from "../code-view/go-to-line.ts";
import { FilePicker } from "../new-task/file-picker.tsx";
import { readWorkflow } from "../new-task/read-workflow.ts";
import { blockedBy, useCheck, Verdict } from "../new-task/workflow-check.tsx";
import { WorkflowPicture } from "../new-task/workflow-picture.tsx";
import { Button } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import "../new-task/new-task-page.css";

const placeholder = `version: 1
name: hello
inputs:
  who: { type: string, default: world }
steps:
  - id: note
    tool: file_ops.write
    with: { path: hello.txt, content: "Hello \${{ inputs.who }}" }`;

interface Props {
  /** What it begins with, for the next version of one that is registered. */
  readonly text?: string;
}

export function RegisterWorkflow({ text: given = "" }: Props): ReactElement {
  const [text, setText] = useState(given);
  const field = useRef<HTMLTextAreaElement>(null);
  const check = useCheck(text);
  const sketch = useMemo(() => readWorkflow(text), [text]);
  const nameBefore = useMemo(() => readWorkflow(given)?.name, [given]);
  const add = useRegister(text);
  const blocked = blockedBecause(text, given) ?? blockedBy(check);
  const findings = check.result?.findings ?? [];
  return (
    <div className="stack">
      {add.data !== undefined && <Added workflow={add.data} />}
      <div className="own">
        <CodeEditor
          label="Workflow"
          placeholder={placeholder}
          value={text}
          onChange={(next) => {
            setText(next);
            add.reset();
          }}
          marks={marksOf(findings)}
          minLines={18}
          ref={field}
        />
        <div className="own-side">
          <FilePicker
            label="Open a workflow file"
            accept=".yaml,.yml,application/yaml,text/yaml"
            onFiles={(picked) => void picked[0]?.text().then(setText)}
          />
          {check.error !== null && <ProblemNotice error={check.error} />}
          {text.trim() !== "" && check.result !== undefined && (
            <Verdict
              result={check.result}
              onLine={(line, column) => {
                if (field.current !== null) goToLine(field.current, line, column);
              }}
            />
          )}
          {add.isError && <ProblemNotice error={add.error} />}
          <div className="cluster">
            <Button
              look="primary"
              icon="plus"
              size="large"
              busy={add.isPending}
              disabled={blocked !== null || add.data !== undefined}
              onClick={() => add.mutate()}
            >
              {registerText(sketch?.name, nameBefore)}
            </Button>
            {blocked !== null && <span className="quiet small">{blocked}</span>}
          </div>
        </div>
      </div>
      {check.isCurrent && check.result?.ok === true && <WorkflowPicture text={text} />}
    </div>
  );
}

function useRegister(text: string): UseMutationResult<AddedWorkflow, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => workflowApi.add(text),
    onSuccess: async ({ name }) => {
      await client.invalidateQueries({ queryKey: workflowsQuery.queryKey });
      await client.invalidateQueries({ queryKey: ["workflow", name] });
    },
  });
}

function registerText(name: string | undefined, nameBefore: string | undefined): string {
  if (name === undefined) return "Register";
  return name === nameBefore ? `Register ${name} as its next version` : `Register ${name}`;
}

function blockedBecause(text: string, given: string): string | null {
  if (text.trim() === "") return "Write or open a workflow.";
  return text === given ? "Change something first." : null;
}

function Added({ workflow }: { readonly workflow: AddedWorkflow }): ReactElement {
  return (
    <section className="panel panel-body workflow-added-notice" role="status">
      <h2>
        {workflow.name} is registered as version {workflow.version}
      </h2>
      {workflow.hooks.map((hook) => (
        <Hook key={hook.name} hook={hook} />
      ))}
      <p>
        <Link to="/workflows/$name" params={{ name: workflow.name }} search={{}}>
          Look at it and run it
        </Link>
      </p>
    </section>
  );
}

/** The one time its secret is shown. */
function Hook({ hook }: { readonly hook: NewHook }): ReactElement {
  return (
    <div className="hook-secret">
      <p>
        The webhook <code>{hook.path}</code> takes{" "}
        {hook.auth === "signature" ? "calls signed with" : "calls that carry"} this secret. It is shown this
        once; keep it where the caller finds it.
      </p>
      <p className="cluster">
        <code>{hook.secret}</code>
        <CopyButton text={hook.secret} what="secret" />
      </p>
    </div>
  );
}
