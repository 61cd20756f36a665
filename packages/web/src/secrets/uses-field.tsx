/** Rows of an action and a resource: what a secret is granted for. */
import { useId, type ReactElement } from "react";
import type { SecretUse } from "../api/operations-calls.ts";
import { Button, IconButton } from "../ui/button.tsx";

interface Props {
  readonly rows: readonly SecretUse[];
  readonly onChange: (rows: readonly SecretUse[]) => void;
}

const examples: readonly { readonly label: string; readonly use: SecretUse }[] = [
  { label: "One web host", use: { action: "http.request", resource: "https://api.example.org:443/**" } },
  { label: "Python programs", use: { action: "code_exec.run", resource: "python" } },
];

export function UsesField({ rows, onChange }: Props): ReactElement {
  const id = useId();
  const change = (at: number, part: Partial<SecretUse>): void => {
    onChange(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  };
  const add = (use: SecretUse): void => {
    onChange([...rows.filter(({ action, resource }) => action !== "" || resource !== ""), use]);
  };
  return (
    <fieldset className="uses">
      <legend className="field-label">May be used for</legend>
      {rows.map((row, index) => (
        <div className="uses-row" key={index}>
          <input
            className="input"
            data-kind="mono"
            aria-label={`Action ${index + 1}`}
            aria-describedby={`${id}-hint`}
            placeholder="http.request"
            value={row.action}
            onChange={(event) => change(index, { action: event.target.value })}
          />
          <input
            className="input"
            data-kind="mono"
            aria-label={`Resource ${index + 1}`}
            aria-describedby={`${id}-hint`}
            placeholder="https://api.github.com:443/**"
            value={row.resource}
            onChange={(event) => change(index, { resource: event.target.value })}
          />
          <IconButton
            icon="cross"
            label={`Take use ${index + 1} away`}
            onClick={() => onChange(rows.filter((_, each) => each !== index))}
          />
        </div>
      ))}
      <div className="cluster">
        <Button icon="plus" onClick={() => onChange([...rows, { action: "", resource: "" }])}>
          Another use
        </Button>
        {examples.map(({ label, use }) => (
          <Button key={label} look="plain" onClick={() => add(use)}>
            {label}
          </Button>
        ))}
      </div>
      <span className="field-hint" id={`${id}-hint`}>
        An action and a resource, both globs. Nothing else can use the secret, whatever policy allows; and
        policy still decides about the action itself.
      </span>
    </fieldset>
  );
}
