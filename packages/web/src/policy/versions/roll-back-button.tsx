/** Puts an earlier version in force again, after a look at what that changes and with a reason. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type ReactElement } from "react";
import { policyApi, type Policy, type PolicyVersion } from "../../api/policy-calls.ts";
import { problemOf } from "../../api/problem.ts";
import { sessionQuery } from "../../api/queries.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { DiffView } from "../compare/diff-view.tsx";
import { RuleChanges } from "../compare/rule-changes.tsx";
import { changedFiles } from "../edit/draft.ts";
import { policyKeys, versionQuery } from "../policy-queries.ts";

interface Props {
  readonly version: PolicyVersion;
  readonly policy: Policy;
}

export function RollBackButton({ version, policy }: Props): ReactElement {
  const isAdmin = useQuery(sessionQuery).data?.role === "admin";
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        disabled={!isAdmin}
        onClick={() => setOpen(true)}
        aria-label={`Roll back to version ${version.number}`}
      >
        Roll back
      </Button>
      {isOpen && <RollBackDialog version={version} policy={policy} onClose={() => setOpen(false)} />}
    </>
  );
}

function RollBackDialog({
  version,
  policy,
  onClose,
}: Props & { readonly onClose: () => void }): ReactElement {
  const { number } = version;
  const reasonId = useId();
  const [reason, setReason] = useState(`version ${number} again`);
  const client = useQueryClient();
  const announce = useAnnounce();
  const files = useQuery(versionQuery(number));
  const rollBack = useMutation({
    mutationFn: () => policyApi.rollBack(number, { expected: policy.revision, note: reason.trim() }),
    onSuccess: (active) => {
      client.setQueryData(policyKeys.policy, active);
      void client.invalidateQueries({ queryKey: policyKeys.versions });
      announce(`Version ${number} is in force again`);
      onClose();
    },
    onError: (error) => {
      // What is in force now comes with the next look; the dialog then compares with that.
      if (problemOf(error).status === 412) void client.invalidateQueries({ queryKey: policyKeys.policy });
    },
  });
  return (
    <Dialog title={`Put version ${number} in force again?`} onClose={onClose}>
      <form
        className="stack activate"
        onSubmit={(event) => {
          event.preventDefault();
          rollBack.mutate();
        }}
      >
        <RuleChanges from={{}} to={{ version: number }} />
        {files.data !== undefined &&
          changedFiles(policy.files, files.data).map((file) => (
            <DiffView key={file.name} before={file.before} after={file.after} label={file.name} />
          ))}
        <div className="field">
          <label htmlFor={reasonId}>Why</label>
          <input
            id={reasonId}
            className="input"
            value={reason}
            maxLength={500}
            required
            data-autofocus
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        {rollBack.isError && <ProblemNotice error={rollBack.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" type="submit" busy={rollBack.isPending} disabled={reason.trim() === ""}>
            Roll back
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
