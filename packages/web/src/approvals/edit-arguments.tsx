/** Approves an action with other arguments: JSON with what the tool's schema says about it; the gate judges them anew. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactElement } from "react";
import type { Approval, Decision } from "../api/contract.ts";
import { toolsQuery } from "../api/inbox-calls.ts";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { Button } from "../ui/button.tsx";
import { Loading } from "../ui/page.tsx";
import { ToolArguments } from "./tool-arguments.tsx";
import { ownArguments, readArguments, type JsonObject, type ReadArguments } from "./check-arguments.ts";

interface Props {
  readonly approval: Approval;
  readonly isBusy: boolean;
  readonly onSend: (decision: Decision) => void;
  readonly onClose: () => void;
}

export function EditArguments(props: Props): ReactElement {
  const tools = useQuery(toolsQuery);
  if (tools.isPending) return <Loading lines={3} />;
  // Without the list of tools there is no schema to show; the server checks all the same.
  const tool = tools.data?.find(({ name }) => name === props.approval.action);
  return <Editor {...props} schema={tool?.schema} />;
}

function Editor({
  approval,
  isBusy,
  onSend,
  onClose,
  schema,
}: Props & { readonly schema: Readonly<Record<string, unknown>> | undefined }): ReactElement {
  const before = ownArguments(approval.args, schema);
  const [text, setText] = useState(() => JSON.stringify(before, null, 2));
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const read = readArguments(text, schema);
  const isSame = read.kind === "read" && JSON.stringify(read.value) === JSON.stringify(before);
  const isOk = read.kind === "read" && read.problems.length === 0 && !isSame;
  const send = (edit: JsonObject): void => onSend({ answer: "approve", edit });
  return (
    <div
      className="decision-panel"
      role="group"
      aria-label="Edit the arguments"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && isOk) send(read.value);
      }}
    >
      <CodeEditor label="Arguments as JSON" value={text} onChange={setText} minLines={5} ref={field} />
      <Problems read={read} />
      <ToolArguments
        tool={approval.action ?? "the tool"}
        schema={schema}
        isOpen={Object.keys(before).length === 0}
      />
      <p className="field-hint">
        The action runs with these instead if policy lets them through: every guard judges them as if the
        workflow had written them. What the tool found out by itself, such as digests, is not listed. Where a
        value is masked, write it anew.
      </p>
      <div className="decision-actions">
        <Button onClick={onClose}>Keep the old ones</Button>
        <Button
          look="primary"
          icon="check"
          busy={isBusy}
          disabled={!isOk}
          onClick={() => read.kind === "read" && send(read.value)}
        >
          {isSame ? "Nothing is changed yet" : "Approve with these"}
        </Button>
      </div>
    </div>
  );
}

function Problems({ read }: { readonly read: ReadArguments }): ReactElement | null {
  if (read.kind === "broken")
    return (
      <p className="field-error" role="status">
        This is not JSON yet: {read.text}
      </p>
    );
  if (read.problems.length === 0) return null;
  return (
    <div role="status" aria-label="What the tool's schema says">
      <ul className="argument-problems">
        {read.problems.map(({ path, text }) => (
          <li className="field-error" key={`${path} ${text}`}>
            <code>{path === "" ? "all" : path}</code> {text}
          </li>
        ))}
      </ul>
    </div>
  );
}
