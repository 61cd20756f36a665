/** Approve or reject, or one of the longer ways: edit, remember, hand on. A rejection needs a reason, because somebody will ask for it. */
import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement, type RefObject } from "react";
import type { Approval, Decision } from "../api/contract.ts";
import { Button } from "../ui/button.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { closedBecause, type DecisionMode } from "./decision-mode.ts";
import { EditArguments } from "./edit-arguments.tsx";
import { HandOnForm } from "./hand-on-form.tsx";
import type { MayAnswer } from "./may-answer.ts";
import { RememberForm } from "./remember-form.tsx";
import { useDecide } from "./use-decide.ts";

interface Props {
  readonly approval: Approval;
  readonly may: MayAnswer;
  readonly mode: DecisionMode;
  readonly onMode: (mode: DecisionMode) => void;
}

export function DecisionForm({ approval, may, mode, onMode }: Props): ReactElement {
  const [reason, setReason] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const { mutate, isPending, error } = useDecide(approval);
  const given = reason.trim();
  const send = (decision: Decision): void => {
    mutate(given === "" ? decision : { reason: given, ...decision }, { onSuccess: () => onMode("idle") });
  };
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
  const closed = closedBecause(mode, approval, may);
  const panel = { approval, isBusy: isPending, onSend: send, onClose: () => onMode("idle") };
  return (
    <div className="decision-box">
      {may.kind !== "may" && <p className="decision-may">{may.why}</p>}
      <form className="decision" onSubmit={reject}>
        <ReasonField {...{ field, reason, mode }} onReason={setReason} onIdle={() => onMode("idle")} />
        <Button
          type="submit"
          look="danger"
          icon="cross"
          busy={isPending}
          disabled={closedBecause("reject", approval, may) !== null}
        >
          Reject
        </Button>
        <Button
          look="primary"
          icon="check"
          busy={isPending}
          disabled={closedBecause("approve", approval, may) !== null}
          onClick={() => onMode("approve")}
        >
          {mode === "confirm" ? "Press A again to approve" : "Approve"}
        </Button>
      </form>
      <OtherWays approval={approval} may={may} mode={mode} onMode={onMode} />
      {closed !== null && (
        <p className="field-hint" role="status">
          {closed}
        </p>
      )}
      {closed === null && mode === "edit" && <EditArguments {...panel} />}
      {closed === null && mode === "remember" && <RememberForm {...panel} />}
      {closed === null && mode === "hand-on" && (
        <HandOnForm approval={approval} onClose={() => onMode("idle")} />
      )}
      {error !== null && <ProblemNotice error={error} />}
    </div>
  );
}

interface ReasonProps {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly reason: string;
  readonly mode: DecisionMode;
  readonly onReason: (reason: string) => void;
  readonly onIdle: () => void;
}

function ReasonField({ field, reason, mode, onReason, onIdle }: ReasonProps): ReactElement {
  const id = useId();
  const isMissing = mode === "reject" && reason.trim() === "";
  return (
    <>
      <div className="field decision-reason">
        <label htmlFor={id} className="visually-hidden">
          Reason
        </label>
        <input
          id={id}
          ref={field}
          className="input"
          value={reason}
          placeholder="Reason (needed to reject)"
          aria-invalid={isMissing}
          aria-describedby={isMissing ? `${id}-note` : undefined}
          onChange={(event) => onReason(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.currentTarget.blur();
            onIdle();
          }}
        />
      </div>
      {isMissing && (
        <p className="field-hint decision-note" id={`${id}-note`}>
          Say why, then press Enter. Escape keeps the question open.
        </p>
      )}
    </>
  );
}

const ways: readonly { readonly mode: DecisionMode; readonly label: string; readonly icon: IconName }[] = [
  { mode: "edit", label: "Edit arguments", icon: "set" },
  { mode: "remember", label: "Approve and remember", icon: "clock" },
  { mode: "hand-on", label: "Hand on", icon: "person" },
];

/** What is closed for this question is left out; its key says why. */
function OtherWays({ approval, may, mode, onMode }: Props): ReactElement | null {
  const open = ways.filter((way) => closedBecause(way.mode, approval, may) === null);
  if (open.length === 0) return null;
  return (
    <div className="decision-ways">
      {open.map((way) => (
        <button
          key={way.mode}
          type="button"
          className="decision-way"
          aria-expanded={mode === way.mode}
          onClick={() => onMode(mode === way.mode ? "idle" : way.mode)}
        >
          <Icon name={way.icon} size={13} />
          {way.label}
        </button>
      ))}
    </div>
  );
}
