/** The rules that decided, each with its line in the policy and the reason it matched. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { MatchedRule } from "../api/contract.ts";
import { effectLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import "./matched-rules.css";

interface Props {
  /** `file` names a file of policy.d. */
  readonly rules: readonly (MatchedRule & { readonly file?: string | undefined })[];
}

export function MatchedRules({ rules }: Props): ReactElement {
  if (rules.length === 0) {
    return <p className="quiet small">No rule matched; what no rule allows is denied.</p>;
  }
  return (
    <ul className="matched">
      {rules.map((rule) => (
        <li key={`${rule.file ?? ""}:${rule.name}:${rule.line}`}>
          <div className="cluster">
            <StateBadge look={effectLooks[rule.effect]} />
            <strong>{rule.name}</strong>
            <Link
              to="/policy"
              search={rule.file === undefined ? { line: rule.line } : { line: rule.line, file: rule.file }}
              className="nowrap small"
            >
              {rule.file ?? "policy.yaml"}:{rule.line}
            </Link>
          </div>
          <p>{rule.why}</p>
        </li>
      ))}
    </ul>
  );
}
