/** Writing a policy: text with help and findings, what it would change, and the way to put it in force. */
import { useQuery } from "@tanstack/react-query";
import { useRef, useState, type ReactElement } from "react";
import { sessionQuery } from "../../api/queries.ts";
import type { Policy } from "../../api/policy-calls.ts";
import { FindingsList, marksOf } from "../../code-view/findings-list.tsx";
import { goToLine } from "../../code-view/go-to-line.ts";
import { TintedEditor } from "../../code-view/tinted-editor.tsx";
import { formatCount } from "../../format/quantity.ts";
import { Button } from "../../ui/button.tsx";
import { Digest } from "../../ui/digest.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { DryRunPanel } from "../replay/dry-run-panel.tsx";
import { ActivateDialog } from "./activate-dialog.tsx";
import { changedFiles, isBehind, textOf } from "./draft.ts";
import { FilePills } from "./file-pills.tsx";
import { findingsOf } from "./findings-of.ts";
import { Meanwhile } from "./meanwhile.tsx";
import { SetShadowButton } from "./set-shadow-button.tsx";
import { useCheck, useDraft, type DraftHandle } from "./use-draft.ts";
import { useEditorHelp } from "./use-language.ts";
import "./edit-tab.css";

export function EditTab({ policy }: { readonly policy: Policy }): ReactElement {
  const handle = useDraft(policy);
  const { draft, isChanged } = handle;
  const check = useCheck(draft.files);
  const [isActivating, setActivating] = useState(false);
  const isOutdated = isChanged && isBehind(draft, policy);
  const isGood = check.checked?.ok === true && !check.isOld;
  return (
    <div className="stack">
      {isOutdated && <Meanwhile policy={policy} handle={handle} />}
      <div className="policy-edit">
        <TextPart handle={handle} check={check} />
        <aside className="stack" aria-label="Check and activation">
          <section className="panel panel-body stack">
            <Verdict
              check={check}
              isChanged={isChanged}
              changed={changedFiles(draft.base, draft.files).length}
            />
            <Actions
              handle={handle}
              policy={policy}
              isReady={isChanged && isGood && !isOutdated}
              onActivate={() => setActivating(true)}
            />
            {check.error !== null && <ProblemNotice error={check.error} />}
          </section>
        </aside>
      </div>
      <DryRunPanel files={draft.files} isReady={isGood} title="What it would have changed" />
      {isActivating && (
        <ActivateDialog handle={handle} policy={policy} onClose={() => setActivating(false)} />
      )}
    </div>
  );
}

interface TextPartProps {
  readonly handle: DraftHandle;
  readonly check: ReturnType<typeof useCheck>;
}

function TextPart({ handle: { draft, write }, check }: TextPartProps): ReactElement {
  const [chosen, setChosen] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const help = useEditorHelp();
  const names = draft.files.map(({ name }) => name);
  const name = names.includes(chosen) ? chosen : (names[0] ?? "");
  const findings = check.checked?.findings ?? [];
  const here = findingsOf(findings, { name, names });
  const elsewhere = findings.length - here.length;
  return (
    <div className="stack policy-text-part">
      {names.length > 1 && (
        <FilePills
          names={names}
          current={name}
          counts={names.map((each) => findingsOf(findings, { name: each, names }).length)}
          onChoose={setChosen}
        />
      )}
      <TintedEditor
        key={name}
        label={`Text of ${name}`}
        value={textOf(draft.files, name)}
        onChange={(text) => write(name, text)}
        marks={marksOf(here)}
        fieldRef={field}
        {...help}
      />
      {findings.length > 0 && (
        <section className="panel panel-body">
          <h2>{formatCount(here.length, "finding")}</h2>
          <FindingsList
            findings={here}
            onLine={(line, column) => field.current !== null && goToLine(field.current, line, column)}
          />
          {elsewhere > 0 && <p className="quiet small">{formatCount(elsewhere, "more")} in other files.</p>}
        </section>
      )}
    </div>
  );
}

interface VerdictProps {
  readonly check: ReturnType<typeof useCheck>;
  readonly isChanged: boolean;
  readonly changed: number;
}

function Verdict({ check: { checked }, isChanged, changed }: VerdictProps): ReactElement {
  const errors = checked?.findings.filter(({ severity }) => severity === "error").length ?? 0;
  const warnings = (checked?.findings.length ?? 0) - errors;
  const validity =
    errors > 0
      ? formatCount(errors, "error")
      : warnings > 0
        ? `Valid, ${formatCount(warnings, "warning")}`
        : "Valid";
  return (
    <div role="status">
      <h2>{checked === undefined ? "Checking" : validity}</h2>
      <p className="quiet small">
        {isChanged
          ? `${formatCount(changed, "file")} changed; the draft stays in this tab until you activate or discard it.`
          : "This is the policy in force. Change it here, try it on history, then activate it."}
      </p>
      <p className="quiet small">
        {checked?.revision == null ? (
          ""
        ) : (
          <>
            revision <Digest value={checked.revision} what="revision" withCopy={false} />
          </>
        )}
      </p>
    </div>
  );
}

interface ActionsProps {
  readonly handle: DraftHandle;
  readonly policy: Policy;
  readonly isReady: boolean;
  readonly onActivate: () => void;
}

function Actions({ handle, policy, isReady, onActivate }: ActionsProps): ReactElement {
  const isAdmin = useQuery(sessionQuery).data?.role === "admin";
  const [isDiscarding, setDiscarding] = useState(false);
  return (
    <>
      <div className="cluster">
        <Button look="primary" icon="check" disabled={!isReady || !isAdmin} onClick={onActivate}>
          Review and activate
        </Button>
        <SetShadowButton files={handle.draft.files} isReady={isReady && isAdmin} />
        <Button look="plain" disabled={!handle.isChanged} onClick={() => setDiscarding(true)}>
          Discard the draft
        </Button>
      </div>
      {!isAdmin && (
        <p className="quiet small">Only an admin can activate a policy. You can check it and try it here.</p>
      )}
      {isDiscarding && (
        <Dialog title="Discard the draft?" onClose={() => setDiscarding(false)}>
          <p>The text goes back to the policy in force. This cannot be undone.</p>
          <div className="dialog-actions">
            <Button onClick={() => setDiscarding(false)} data-autofocus>
              Keep it
            </Button>
            <Button
              look="danger"
              onClick={() => {
                handle.restart(policy);
                setDiscarding(false);
              }}
            >
              Discard
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
