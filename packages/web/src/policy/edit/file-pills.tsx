/** The files of a policy to choose from: policy.yaml and those of policy.d. */
import type { ReactElement } from "react";

interface Props {
  readonly names: readonly string[];
  readonly current: string;
  /** Findings of each. */
  readonly counts: readonly number[];
  readonly onChoose: (name: string) => void;
}

export function FilePills({ names, current, counts, onChoose }: Props): ReactElement {
  return (
    <div className="pills" role="group" aria-label="Files of the policy">
      {names.map((name, index) => (
        <button
          key={name}
          type="button"
          className="pill file-pill"
          aria-pressed={name === current}
          onClick={() => onChoose(name)}
        >
          <code>{name}</code>
          {(counts[index] ?? 0) > 0 && <span className="pill-count">{counts[index]}</span>}
        </button>
      ))}
    </div>
  );
}
