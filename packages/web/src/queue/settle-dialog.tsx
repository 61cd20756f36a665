/** Asks before dead letters are given up, with a reason for the record. */
import { useId, useState, type ReactElement } from "react";
import { formatCount } from "../format/quantity.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";

interface Props {
  /** To be typed. */
  readonly name: string;
  readonly count: number;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly onClose: () => void;
  readonly onConfirm: (reason: string) => void;
}

export function SettleDialog({ count, onConfirm, ...dialog }: Props): ReactElement {
  const [reason, setReason] = useState("");
  const fieldId = useId();
  return (
    <ConfirmDialog
      {...dialog}
      title={`Discard ${formatCount(count, "dead letter")}?`}
      action="Discard"
      onConfirm={() => onConfirm(reason.trim())}
    >
      <p>
        {count === 1 ? "It leaves" : "They leave"} the queue for good and cannot be tried again. Journals and
        artifacts stay.
      </p>
      <div className="field">
        <label htmlFor={fieldId}>Reason (optional)</label>
        <input
          id={fieldId}
          className="input"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
    </ConfirmDialog>
  );
}
