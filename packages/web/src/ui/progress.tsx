/** How far a run is: a bar that differs by state in pattern as well as in colour. */
import type { ReactElement } from "react";
import type { Tone } from "./state.ts";
import "./progress.css";

interface Props {
  readonly done: number;
  readonly total: number;
  readonly tone: Tone;
  readonly label: string;
}

export function Progress({ done, total, tone, label }: Props): ReactElement {
  const ratio = total === 0 ? 0 : Math.min(1, done / total);
  return (
    <div className="progress" data-tone={tone}>
      <div
        className="progress-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={Math.min(done, total)}
      >
        <div className="progress-bar" style={{ width: `${ratio * 100}%` }} />
      </div>
      <span className="progress-count">
        {done}/{total}
      </span>
    </div>
  );
}
