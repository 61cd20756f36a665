/** Values that differ between two runs: the place, and what each side has. */
import type { ReactElement } from "react";
import type { RunDiff } from "../api/run-calls.ts";
import { valueText } from "./value-text.ts";

interface Props {
  readonly differences: RunDiff["inputs"];
  /** What they are values of, for whoever cannot see where the table stands. */
  readonly of: string;
}

export function ValueDifferences({ differences, of }: Props): ReactElement {
  return (
    <div className="compare-scroll" tabIndex={0} role="region" aria-label={`Values that differ: ${of}`}>
      <table className="compare-values">
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          {differences.map((difference) => (
            <tr key={difference.path}>
              <th scope="row">
                <code>{difference.path === "" ? "all of it" : difference.path}</code>
              </th>
              <Side value={difference.a} />
              <Side value={difference.b} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Side({ value }: { readonly value: unknown }): ReactElement {
  const text = valueText(value);
  return <td>{text === null ? <span className="quiet">not there</span> : <pre>{text}</pre>}</td>;
}
