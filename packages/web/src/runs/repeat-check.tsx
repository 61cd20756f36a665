/** A person's word that effects which cannot be taken back are to be done again. */
import type { ReactElement } from "react";
import "./repeat-check.css";

interface Props {
  readonly isGiven: boolean;
  readonly onChange: (isGiven: boolean) => void;
}

export function RepeatCheck({ isGiven, onChange }: Props): ReactElement {
  return (
    <label className="check repeat-check">
      <input type="checkbox" checked={isGiven} onChange={(event) => onChange(event.target.checked)} />
      Do again what cannot be taken back
    </label>
  );
}
