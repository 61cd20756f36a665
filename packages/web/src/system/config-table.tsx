/** Every setting in force, where it came from, and the name that changes it. Secrets come masked. */
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useState, type ReactElement } from "react";
import type { ConfigRow } from "../api/contract.ts";
import { configQuery } from "../api/queries.ts";
import { Icon } from "../ui/icon.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Prose } from "../ui/prose.tsx";

export function ConfigTable(): ReactElement {
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const id = useId();
  const config = useQuery(configQuery);
  const rows = (config.data ?? []).filter((row) =>
    `${row.key} ${row.env} ${row.origin} ${row.description}`.toLowerCase().includes(wanted),
  );
  return (
    <section className="panel config">
      <header className="panel-head">
        <h2>Configuration</h2>
        <div className="search-field">
          <Icon name="search" size={14} />
          <label htmlFor={id} className="visually-hidden">
            Search the configuration
          </label>
          <input
            id={id}
            type="search"
            className="input"
            placeholder="Key, variable, origin"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      </header>
      {config.isPending && <Loading />}
      {config.isError && <ProblemNotice error={config.error} onRetry={() => void config.refetch()} />}
      {config.data !== undefined && <Rows rows={rows} />}
    </section>
  );
}

function Rows({ rows }: { readonly rows: readonly ConfigRow[] }): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
          <th scope="col">Origin</th>
          <th scope="col" className="config-wide">
            Variable
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <td>
              <code>{row.key}</code>
              <p className="quiet small">
                <Prose text={row.description} />
              </p>
            </td>
            <td className="config-value">
              <code>{valueText(row.value)}</code>
            </td>
            <td>
              <span className="chip" {...(row.origin === "default" ? {} : { "data-tone": "accent" })}>
                {row.origin}
              </span>
            </td>
            <td className="config-wide">
              <code className="quiet">{row.env}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
