/** Approve or reject. A rejection needs a reason, because somebody will ask for it. */
import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { Button } from "../ui/button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { useDecide } from "./use-decide.ts";

/** `confirm`: the key for approving was pressed once on a risky question. `approve`: do it now. */
export type DecisionMode = "idle" | "confirm" | "approve" | "reject";

interface Props {
  readonly approval: Approval;
  readonly mode: DecisionMode;
  readonly onMode: (mode: DecisionMode) => void;
}

export function DecisionForm({ approval, mode, onMode }: Props): ReactElement {
  const [reason, setReason] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const fieldId = useId();
  const { mutate, isPending, error } = useDecide(approval);
  const given = reason.trim();
  useEffect(() => {
    if (mode === "reject") field.current?.focus();
    if (mode !== "approve") return;
    onMode("idle");
    mutate({ answer: "approve", ...(given === "" ? {} : { reason: given }) });
  }, [mode, onMode, mutate, given]);
  const reject = (event: FormEvent): void => {
    event.preventDefault();
    if (given === "") onMode("reject");
    else mutate({ answer: "reject", reason: given });
  };
  return (
    <form className="decision" onSubmit={reject}>
      <div className="field decision-reason">
        <label htmlFor={fieldId} className="visually-hidden">
          Reason
        </label>
        <input
          id={fieldId}
          ref={field}
          className="input"
          value={reason}
          placeholder="Reason (needed to reject)"
          aria-invalid={mode === "reject" && given === ""}
          aria-describedby={mode === "reject" ? `${fieldId}-note` : undefined}
          onChange={(event) => setReason(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.currentTarget.blur();
            onMode("idle");
          }}
        />
      </div>
      <Button type="submit" look="danger" icon="cross" busy={isPending}>
        Reject
      </Button>
      <Button look="primary" icon="check" busy={isPending} onClick={() => onMode("approve")}>
        {mode === "confirm" ? "Press A again to approve" : "Approve"}
      </Button>
      {mode === "reject" && given === "" && (
        <p className="field-hint decision-note" id={`${fieldId}-note`}>
          Say why, then press Enter. Escape keeps the question open.
        </p>
      )}
      {error !== null && (
        <div className="decision-note">
          <ProblemNotice error={error} />
        </div>
      )}
    </form>
  );
}
