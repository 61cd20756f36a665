/** How many runs stand in each state; a count leads to those runs. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { runStates, type QueueCounts as QueueCountsByState } from "../api/contract.ts";
import { runGroupNames, runGroups } from "../runs/run-groups.ts";
import { runLooks } from "../ui/state.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";

export function QueueCounts({ queue }: { readonly queue: QueueCountsByState }): ReactElement {
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Queue</h2>
      </header>
      <ul className="queue">
        {runStates.map((state) => {
          const group = runGroupNames.find((name) => runGroups[name].states.includes(state));
          const count = queue[state] ?? 0;
          return (
            <li key={state} data-empty={count === 0}>
              <Link to="/" search={group === undefined ? {} : { state: group }}>
                <StateGlyph look={runLooks[state]} size={14} />
                {runLooks[state].label}
                <strong>{count.toLocaleString("en-GB")}</strong>
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
