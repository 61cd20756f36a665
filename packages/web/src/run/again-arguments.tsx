/** The arguments of the step that is done again, to be changed as JSON; what stays the same comes from the workflow. */
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import type { StepView } from "../api/contract.ts";
import { toolsQuery } from "../api/inbox-calls.ts";
import { ownArguments, readArguments, type JsonObject } from "../approvals/check-arguments.ts";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { ToolArguments } from "../approvals/tool-arguments.tsx";
import { Icon } from "../ui/icon.tsx";
import { changedMembers } from "./again-plan.ts";

interface Props {
  readonly step: StepView | undefined;
  /** The members that differ; null while the text is not right. */
  readonly onChange: (changed: JsonObject | null) => void;
}

export function AgainArguments({ step, onChange }: Props): ReactElement | null {
  const tools = useQuery(toolsQuery);
  const schema = tools.data?.find(({ name }) => name === step?.tool)?.schema;
  if (step === undefined || step.kind !== "tool" || step.args === null || tools.isPending) return null;
  return (
    <Editor
      tool={step.tool ?? ""}
      path={step.path}
      before={ownArguments(step.args, schema)}
      schema={schema}
      onChange={onChange}
    />
  );
}

interface EditorProps {
  readonly tool: string;
  readonly path: string;
  readonly before: JsonObject;
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  readonly onChange: Props["onChange"];
}

function Editor({ tool, path, before, schema, onChange }: EditorProps): ReactElement {
  const [text, setText] = useState(() => JSON.stringify(before, null, 2));
  const read = readArguments(text, schema);
  const change = (after: string): void => {
    setText(after);
    const next = readArguments(after, schema);
    const isRight = next.kind === "read" && next.problems.length === 0;
    onChange(isRight ? changedMembers(before, next.value) : null);
  };
  return (
    <details className="run-again-part options">
      <summary>
        <Icon name="right" size={12} />
        Arguments of {path}
      </summary>
      <CodeEditor label={`Arguments of ${path} as JSON`} value={text} onChange={change} minLines={4} />
      {read.kind === "broken" && <p className="field-error">This is not JSON yet: {read.text}</p>}
      {read.kind === "read" &&
        read.problems.map((problem) => (
          <p className="field-error" key={`${problem.path} ${problem.text}`}>
            <code>{problem.path}</code> {problem.text}
          </p>
        ))}
      <ToolArguments tool={tool} schema={schema} isOpen={Object.keys(before).length === 0} />
      <p className="field-hint">
        What you change here replaces what the workflow gives; the gate judges it like anything else.
      </p>
    </details>
  );
}
