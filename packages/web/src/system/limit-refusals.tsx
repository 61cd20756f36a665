/** What limits have held back: which, how often, when last. */
import type { ReactElement } from "react";
import type { Limits } from "../api/operations-calls.ts";
import { Ago } from "../ui/moment.tsx";

const kindWords: Readonly<Record<Limits["refusals"][number]["kind"], string>> = {
  rate: "rate",
  quota: "quota",
  bulkhead: "places at once",
};

export function LimitRefusals({ refusals }: Pick<Limits, "refusals">): ReactElement {
  return (
    <section className="panel" aria-labelledby="refusals">
      <header className="panel-head">
        <h2 id="refusals">Held back</h2>
        <span className="quiet small">since the processes started; nothing is lost, steps come again</span>
      </header>
      {refusals.length === 0 && <p className="panel-body quiet">No limit has held an action back.</p>}
      {refusals.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Limit</th>
              <th scope="col">Times</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {refusals.map(({ kind, limit, count, lastAt }) => (
              <tr key={`${kind} ${limit}`}>
                <td className="refusal-limit">
                  <strong>{limit}</strong> <span className="quiet small">{kindWords[kind]}</span>
                </td>
                <td>{count.toLocaleString("en-GB")}</td>
                <td className="quiet">
                  <Ago time={lastAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
