/** Two texts line by line: what is only in the first, only in the second, and a little around it. */
import { useMemo, type ReactElement } from "react";
import { formatCount } from "../../format/quantity.ts";
import { countChanges, diffLines, foldDiff, type DiffRow } from "./line-diff.ts";
import "./diff-view.css";

interface Props {
  readonly before: string;
  readonly after: string;
  readonly label: string;
}

const signs = { same: " ", removed: "−", added: "+" } as const;

export function DiffView({ before, after, label }: Props): ReactElement {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  const { added, removed } = countChanges(lines);
  if (added + removed === 0) return <p className="quiet small">The texts are the same.</p>;
  return (
    <figure className="diff">
      <figcaption className="small quiet">
        {label}: {formatCount(added, "line")} added, {formatCount(removed, "line")} removed
      </figcaption>
      <div className="diff-lines" tabIndex={0} role="region" aria-label={label}>
        <ol>
          {foldDiff(lines).map((row, index) => (
            <Row row={row} key={index} />
          ))}
        </ol>
      </div>
    </figure>
  );
}

function Row({ row }: { readonly row: DiffRow }): ReactElement {
  if (row.kind === "gap") return <li className="diff-gap">{formatCount(row.count, "line")} the same</li>;
  return (
    <li data-kind={row.kind}>
      <span className="diff-number" aria-hidden="true">
        {row.before ?? ""}
      </span>
      <span className="diff-number" aria-hidden="true">
        {row.after ?? ""}
      </span>
      <span className="diff-sign" aria-hidden="true">
        {signs[row.kind]}
      </span>
      {row.kind !== "same" && <span className="visually-hidden">{row.kind}: </span>}
      <code>{row.text === "" ? " " : row.text}</code>
    </li>
  );
}
