/** What became of each dead letter of one command. */
import type { ReactElement } from "react";
import { Link } from "@tanstack/react-router";
import type { RunSummary } from "../api/contract.ts";
import type { Settled, SettleAction } from "../api/operations-calls.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { healthLooks } from "../ui/state.ts";

interface Props {
  readonly settled: Settled & { readonly action: SettleAction };
  readonly letters: readonly RunSummary[];
}

export function SettledNotice({ settled, letters }: Props): ReactElement {
  const word = settled.action === "retry" ? "tried again" : "discarded";
  const names = new Map(letters.map(({ id, workflow }) => [id, workflow.name]));
  return (
    <details className="panel panel-body settled" open={settled.failed > 0}>
      <summary>
        {formatCount(settled.done, "dead letter")} {word}
        {settled.failed > 0 && `, ${settled.failed} failed`}
        {settled.hasMore && "; more fit, do it again"}
      </summary>
      <ul>
        {settled.results.map(({ id, ok, error }) => (
          <li key={id}>
            <StateGlyph look={ok ? healthLooks.ok : healthLooks.failed} label={ok ? "Done" : "Failed"} />
            <span>
              <Link to="/runs/$runId" params={{ runId: id }} search={{}}>
                {names.get(id) ?? "run"} <code className="small">{shortId(id)}</code>
              </Link>{" "}
              {error !== null && (
                <span className="small">
                  {error.message} <code>{error.code}</code>
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
