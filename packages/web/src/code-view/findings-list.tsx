/** What a check found, each with its line; choosing one leads there. */
import type { ReactElement } from "react";
import type { Finding } from "../api/contract.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";
import type { LineMark } from "./code-view.tsx";
import "./findings-list.css";

const looks: Readonly<Record<Finding["severity"], StateLook>> = {
  error: { label: "Error", tone: "failed", glyph: "octagon" },
  warning: { label: "Warning", tone: "waiting", glyph: "diamond" },
};

interface Props {
  readonly findings: readonly Finding[];
  readonly onLine?: (line: number, column: number) => void;
}

export function FindingsList({ findings, onLine }: Props): ReactElement {
  return (
    <ul className="findings">
      {findings.map((finding, index) => (
        <li key={index}>
          <StateGlyph look={looks[finding.severity]} label={looks[finding.severity].label} />
          <div>
            <p>{finding.message}</p>
            {finding.hint !== undefined && <p className="quiet">{finding.hint}</p>}
          </div>
          <Place finding={finding} onLine={onLine} />
        </li>
      ))}
    </ul>
  );
}

function Place({
  finding,
  onLine,
}: {
  readonly finding: Finding;
  readonly onLine: Props["onLine"];
}): ReactElement | null {
  const { line, column = 1, path } = finding;
  const label = line === undefined ? path : `line ${line}:${column}`;
  if (label === undefined) return null;
  if (line === undefined || onLine === undefined) return <code className="quiet">{label}</code>;
  return (
    <button type="button" className="findings-line" onClick={() => onLine(line, column)} title={path}>
      {label}
    </button>
  );
}

/** Marks for the numbers of a code view; an error outshines a warning on the same line. */
export function marksOf(findings: readonly Finding[]): LineMark[] {
  return findings
    .toSorted((a, b) => a.severity.localeCompare(b.severity))
    .flatMap((finding) =>
      finding.line === undefined
        ? []
        : [{ line: finding.line, tone: looks[finding.severity].tone, text: finding.message }],
    );
}
