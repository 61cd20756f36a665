/** The rules that decided, each with its line in policy.yaml and the reason it matched. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { MatchedRule } from "../api/contract.ts";
import { effectLooks } from "../ui/state.ts";
import { StateBadge } from "../ui/state-glyph.tsx";
import "./matched-rules.css";

export function MatchedRules({ rules }: { readonly rules: readonly MatchedRule[] }): ReactElement {
  if (rules.length === 0) {
    return <p className="quiet small">No rule matched; what no rule allows is denied.</p>;
  }
  return (
    <ul className="matched">
      {rules.map((rule) => (
        <li key={`${rule.name}:${rule.line}`}>
          <div className="cluster">
            <StateBadge look={effectLooks[rule.effect]} />
            <strong>{rule.name}</strong>
            <Link to="/policy" search={{ line: rule.line }} className="nowrap small">
              policy.yaml:{rule.line}
            </Link>
          </div>
          <p>{rule.why}</p>
        </li>
      ))}
    </ul>
  );
}
