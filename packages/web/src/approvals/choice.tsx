/** One of several ways, as a radio button with its words. */
import type { ReactElement, ReactNode } from "react";

interface Props {
  /** The same for all that exclude each other. */
  readonly name: string;
  readonly isChosen: boolean;
  readonly isDisabled?: boolean;
  readonly onChoose: () => void;
  readonly children: ReactNode;
}

export function Choice({ name, isChosen, isDisabled = false, onChoose, children }: Props): ReactElement {
  return (
    <label className="check">
      <input type="radio" name={name} checked={isChosen} disabled={isDisabled} onChange={onChoose} />
      {children}
    </label>
  );
}
