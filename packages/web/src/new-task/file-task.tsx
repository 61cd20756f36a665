/** Starts from a workflow of one's own: paste or upload it, see what the check says, add files for the workspace. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import type { CheckResult } from "../api/contract.ts";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { FindingsList, marksOf } from "../code-view/findings-list.tsx";
import { goToLine } from "../code-view/go-to-line.ts";
import { formatCount } from "../format/quantity.ts";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { FilePicker } from "./file-picker.tsx";
import { readWorkflow } from "./read-workflow.ts";
import { TaskForm } from "./task-form.tsx";
import { WorkspaceFiles } from "./workspace-files.tsx";
import type { TaskFile } from "./task-files.ts";

const checkAfterMs = 400;
const valid = { label: "Valid", tone: "done", glyph: "check" } as const;

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
    </>
  );
}

interface Check {
  readonly result: CheckResult | undefined;
  readonly error: unknown;
  readonly isCurrent: boolean;
}

/** Asks the server a moment after the last key press; the last answer stays until the next. */
function useCheck(text: string): Check {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), checkAfterMs);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({
    queryKey: ["workflow-check", settled],
    queryFn: ({ signal }) => api.checkWorkflow(settled, signal),
    enabled: settled.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const isCurrent = settled === text && query.isSuccess && !query.isPlaceholderData;
  return { result: query.data, error: query.error, isCurrent };
}

function blockedBy(check: Check): string | null {
  if (!check.isCurrent) return "It is being checked.";
  return check.result?.ok === true ? null : "Correct the findings first.";
}

interface VerdictProps {
  readonly result: CheckResult;
  readonly onLine: (line: number, column: number) => void;
}

function Verdict({ result, onLine }: VerdictProps): ReactElement {
  const count = result.findings.length;
  return (
    <section className="panel panel-body" role="status">
      <h2 className="own-verdict">
        {result.ok && <StateGlyph look={valid} />}
        {result.ok
          ? `Valid${count === 0 ? "" : `, with ${formatCount(count, "warning")}`}`
          : formatCount(count, "finding")}
      </h2>
      <FindingsList findings={result.findings} onLine={onLine} />
    </section>
  );
}
