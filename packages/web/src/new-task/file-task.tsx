/** Starts from a workflow of one's own: paste or upload it, see what the check says, add files for the workspace. */
import { useMemo, useRef, useState, type ReactElement } from "react";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { marksOf } from "../code-view/findings-list.tsx";
import { goToLine } from "../code-view/go-to-line.ts";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { FilePicker } from "./file-picker.tsx";
import { readWorkflow } from "./read-workflow.ts";
import { TaskForm } from "./task-form.tsx";
import { blockedBy, useCheck, Verdict } from "./workflow-check.tsx";
import { WorkflowPicture } from "./workflow-picture.tsx";
import { WorkspaceFiles } from "./workspace-files.tsx";
import type { TaskFile } from "./task-files.ts";

const placeholder = `version: 1
name: hello
steps:
  - id: note
    tool: file_ops.write
    with: { path: hello.txt, content: "Hello" }`;

export function FileTask(): ReactElement {
  const [text, setText] = useState("");
  const [files, setFiles] = useState<readonly TaskFile[]>([]);
  const field = useRef<HTMLTextAreaElement>(null);
  const check = useCheck(text);
  const sketch = useMemo(() => readWorkflow(text), [text]);
  const findings = check.result?.findings ?? [];
  return (
    <>
      <div className="own">
        <CodeEditor
          label="Workflow"
          placeholder={placeholder}
          value={text}
          onChange={setText}
          marks={marksOf(findings)}
          minLines={16}
          ref={field}
        />
        <div className="own-side">
          <FilePicker
            label="Open a workflow file"
            accept=".yaml,.yml,application/yaml,text/yaml"
            onFiles={(picked) => void picked[0]?.text().then(setText)}
          />
          <WorkspaceFiles files={files} onChange={setFiles} />
          {check.error !== null && <ProblemNotice error={check.error} />}
          {text.trim() !== "" && check.result !== undefined && (
            <Verdict
              result={check.result}
              onLine={(line, column) => {
                if (field.current !== null) goToLine(field.current, line, column);
              }}
            />
          )}
        </div>
      </div>
      {sketch !== null && sketch.outline.length > 0 && (
        <TaskForm
          sketch={sketch}
          source={{
            workflow: text,
            ...(files.length === 0
              ? {}
              : { files: files.map(({ path, contentBase64 }) => ({ path, contentBase64 })) }),
          }}
          blockedBy={blockedBy(check)}
        />
      )}
      {check.isCurrent && check.result?.ok === true && <WorkflowPicture text={text} />}
    </>
  );
}
