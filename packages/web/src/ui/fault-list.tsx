/** What stands in the way of sending a form, each in one line; read out when it appears. */
import type { ReactElement } from "react";

/** Shows nothing when there are none. */
export function FaultList({ faults }: { readonly faults: readonly string[] }): ReactElement | null {
  if (faults.length === 0) return null;
  return (
    <div className="field-error" role="alert">
      <ul>
        {faults.map((fault) => (
          <li key={fault}>{fault}</li>
        ))}
      </ul>
    </div>
  );
}
