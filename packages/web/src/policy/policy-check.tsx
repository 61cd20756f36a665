/** Checks a policy that is not in force yet: paste, see what is wrong and where. Nothing is saved. */
import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import { CodeEditor } from "../code-view/code-editor.tsx";
import { FindingsList, marksOf } from "../code-view/findings-list.tsx";
import { goToLine } from "../code-view/go-to-line.ts";
import { formatCount } from "../format/quantity.ts";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Icon } from "../ui/icon.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

export function PolicyCheck({ current }: { readonly current: string }): ReactElement {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const check = useMutation({ mutationFn: (policy: string) => api.checkPolicy(policy) });
  const findings = check.data?.findings ?? [];
  const change = (next: string): void => {
    setText(next);
    check.reset();
  };
  return (
    <div className="policy-check">
      <CodeEditor
        label="Policy to check"
        placeholder="Paste a policy here"
        value={text}
        onChange={change}
        marks={marksOf(findings)}
        minLines={22}
        ref={field}
      />
      <div className="stack">
        <div className="cluster">
          <Button
            look="primary"
            icon="check"
            busy={check.isPending}
            disabled={text.trim() === ""}
            onClick={() => check.mutate(text)}
          >
            Check
          </Button>
          <Button onClick={() => change(current)}>Start from the policy in force</Button>
        </div>
        {check.isError && <ProblemNotice error={check.error} />}
        {check.data !== undefined && (
          <section className="panel panel-body" role="status">
            <h2>{verdict(check.data.ok, findings.length)}</h2>
            <FindingsList
              findings={findings}
              onLine={(line, column) => {
                if (field.current !== null) goToLine(field.current, line, column);
              }}
            />
          </section>
        )}
        <p className="quiet small policy-note">
          <Icon name="info" size={14} />
          <span>
            Only a check: the policy in force is the file in the data folder, and it is read again when it
            changes. The same check in a terminal:
          </span>
        </p>
        <CommandLine command="npx homeostat policy check policy.yaml" />
      </div>
    </div>
  );
}

function verdict(ok: boolean, count: number): string {
  if (!ok) return `Not valid: ${formatCount(count, "finding")}`;
  return count === 0 ? "Valid" : `Valid, with ${formatCount(count, "warning")}`;
}
