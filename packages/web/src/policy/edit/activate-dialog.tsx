/** The last look before a draft is in force: every line that changes, what it means, and why it is done. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { policyApi, type Policy } from "../../api/policy-calls.ts";
import { problemOf } from "../../api/problem.ts";
import { useAnnounce } from "../../ui/announcer.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { DiffView } from "../compare/diff-view.tsx";
import { RuleChanges } from "../compare/rule-changes.tsx";
import { policyKeys } from "../policy-queries.ts";
import { changedFiles } from "./draft.ts";
import type { DraftHandle } from "./use-draft.ts";

interface Props {
  readonly handle: DraftHandle;
  readonly policy: Policy;
  readonly onClose: () => void;
}

export function ActivateDialog({ handle, policy, onClose }: Props): ReactElement {
  const [reason, setReason] = useState("");
  const activate = useActivate(handle, onClose);
  const { draft } = handle;
  return (
    <Dialog title="Activate this policy?" onClose={onClose}>
      <form
        className="stack activate"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason.trim() !== "") activate.mutate(reason.trim());
        }}
      >
        <section className="stack">
          <h3>What it changes</h3>
          <RuleChanges from={{}} to={{ files: draft.files }} />
        </section>
        {changedFiles(policy.files, draft.files).map(({ name, before, after }) => (
          <DiffView key={name} before={before} after={after} label={name} />
        ))}
        <div className="field">
          <label htmlFor="activate-reason">Why</label>
          <input
            id="activate-reason"
            className="input"
            value={reason}
            maxLength={500}
            required
            data-autofocus
            aria-describedby="activate-hint"
            onChange={(event) => setReason(event.target.value)}
          />
          <p className="field-hint" id="activate-hint">
            It stands with your name in the list of versions and in the ledger.
          </p>
        </div>
        {activate.isError && <ProblemNotice error={activate.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Not yet</Button>
          <Button
            look="primary"
            icon="check"
            type="submit"
            disabled={reason.trim() === ""}
            busy={activate.isPending}
          >
            Activate
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Called with the reason. Closes the dialog when it is done, and when somebody else was first. */
function useActivate(
  { draft, restart }: DraftHandle,
  onClose: () => void,
): UseMutationResult<Policy, Error, string> {
  const client = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (note: string) => policyApi.activate({ files: draft.files, expected: draft.revision, note }),
    onSuccess: (active) => {
      restart(active);
      client.setQueryData(policyKeys.policy, active);
      void client.invalidateQueries({ queryKey: policyKeys.versions });
      announce("The policy is in force");
      onClose();
      void navigate({ to: "/policy", search: {} });
    },
    onError: (error) => {
      if (problemOf(error).status !== 412) return;
      // The page behind then shows what changed, beside the draft.
      void client.invalidateQueries({ queryKey: policyKeys.policy });
      announce("Somebody else changed the policy meanwhile", { tone: "waiting" });
      onClose();
    },
  });
}
