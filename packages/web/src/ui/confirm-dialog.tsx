/** Asks before something that cannot be taken back; the name of the thing has to be typed where a slip would hurt. */
import { useId, useState, type FormEvent, type ReactElement, type ReactNode } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ProblemNotice } from "./problem-notice.tsx";

interface Props {
  readonly title: string;
  readonly action: string;
  /** To be typed before the button works. */
  readonly name: string;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
  /** What will be gone, and what stays. */
  readonly children: ReactNode;
}

export function ConfirmDialog(props: Props): ReactElement {
  const [typed, setTyped] = useState("");
  const fieldId = useId();
  const fits = typed.trim() === props.name;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (fits) props.onConfirm();
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form className="stack" onSubmit={submit}>
        {props.children}
        <div className="field">
          <label htmlFor={fieldId}>
            Type <code>{props.name}</code> to confirm
          </label>
          <input
            id={fieldId}
            className="input"
            data-kind="mono"
            autoComplete="off"
            spellCheck={false}
            value={typed}
            data-autofocus
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        {props.error !== null && <ProblemNotice error={props.error} />}
        <div className="dialog-actions">
          <Button onClick={props.onClose}>Keep it</Button>
          <Button type="submit" look="danger" disabled={!fits} busy={props.isBusy}>
            {props.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
