/** What can be done to a run in its present state. Ending one asks first and takes a reason. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import type { RunCommand, RunDetail, RunSummary } from "../api/contract.ts";
import { keys } from "../api/queries.ts";
import { takeRun } from "../live/live-updates.tsx";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { endedStates } from "../ui/state.ts";
import { AgainButton } from "./again-button.tsx";

const doneTexts: Readonly<Record<RunCommand, string>> = {
  pause: "Paused after the step that is running",
  resume: "Goes on",
  cancel: "Cancelled",
  retry: "Back in the queue",
  discard: "Discarded",
};

const again = { kind: "rerun", fromStep: undefined } as const;
const fork = { kind: "fork", seq: undefined } as const;

export function RunControls({ run }: { readonly run: RunDetail }): ReactElement {
  const [asking, setAsking] = useState<"cancel" | "discard" | null>(null);
  const client = useQueryClient();
  const announce = useAnnounce();
  const command = useMutation({
    mutationFn: ({ name, reason }: { readonly name: RunCommand; readonly reason?: string }) =>
      api.commandRun(run.id, name, reason),
    onSuccess: (after, { name }) => {
      takeRun(client, after);
      void client.invalidateQueries({ queryKey: keys.run(run.id) });
      announce(doneTexts[name]);
      setAsking(null);
    },
  });
  const send = (name: RunCommand): void => command.mutate({ name });
  const isPaused = run.waitingFor?.kind === "pause";
  const hasEnded = endedStates.has(run.state);
  return (
    <>
      {run.state === "DEAD" && (
        <>
          <Button look="primary" icon="retry" busy={command.isPending} onClick={() => send("retry")}>
            Retry
          </Button>
          <Button look="danger" icon="cross" onClick={() => setAsking("discard")}>
            Discard
          </Button>
        </>
      )}
      {!hasEnded && isPaused && (
        <Button look="primary" icon="play" busy={command.isPending} onClick={() => send("resume")}>
          Resume
        </Button>
      )}
      {!hasEnded && !isPaused && (
        <Button icon="pause" busy={command.isPending} onClick={() => send("pause")}>
          Pause
        </Button>
      )}
      {!hasEnded && (
        <Button look="danger" icon="stop" onClick={() => setAsking("cancel")}>
          Cancel run
        </Button>
      )}
      <AgainButton run={run} point={hasEnded ? again : fork} />
      {command.isError && asking === null && <ProblemNotice error={command.error} />}
      {asking !== null && (
        <EndDialog
          run={run}
          name={asking}
          error={command.error}
          isBusy={command.isPending}
          onClose={() => setAsking(null)}
          onSend={(reason) => command.mutate(reason === "" ? { name: asking } : { name: asking, reason })}
        />
      )}
    </>
  );
}

interface EndDialogProps {
  readonly run: RunSummary;
  readonly name: "cancel" | "discard";
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly onClose: () => void;
  readonly onSend: (reason: string) => void;
}

function EndDialog({ run, name, error, isBusy, onClose, onSend }: EndDialogProps): ReactElement {
  const [reason, setReason] = useState("");
  const fieldId = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSend(reason.trim());
  };
  return (
    <Dialog
      title={name === "cancel" ? `Cancel ${run.workflow.name}?` : `Discard ${run.workflow.name}?`}
      onClose={onClose}
    >
      <form className="stack" onSubmit={submit}>
        <p>
          {name === "cancel"
            ? "The step that is running is stopped, open questions are withdrawn. What is done stays done, and the journal keeps it."
            : "The dead letter leaves the queue for good. Its journal and artifacts stay."}
        </p>
        <div className="field">
          <label htmlFor={fieldId}>Reason (optional)</label>
          <input
            id={fieldId}
            className="input"
            value={reason}
            data-autofocus
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        {error !== null && <ProblemNotice error={error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" look="danger" busy={isBusy}>
            {name === "cancel" ? "Cancel run" : "Discard"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
