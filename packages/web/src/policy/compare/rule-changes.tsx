/** What a change means: rules that come, go and differ, and actions that would be decided otherwise. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { policyApi, type PolicyChanges, type PolicySide } from "../../api/policy-calls.ts";
import { formatCount } from "../../format/quantity.ts";
import { Loading } from "../../ui/page.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { Prose } from "../../ui/prose.tsx";
import { EffectChange } from "../effect-change.tsx";
import "./rule-changes.css";

/** Both sides as the API takes them; nothing is the policy in force. */
export function RuleChanges({
  from,
  to,
}: {
  readonly from: PolicySide;
  readonly to: PolicySide;
}): ReactElement {
  const diff = useQuery({
    queryKey: ["policy", "diff", from, to],
    queryFn: ({ signal }) => policyApi.diff(from, to, signal),
    gcTime: 0,
  });
  if (diff.isPending) return <Loading lines={2} />;
  if (diff.isError) return <ProblemNotice error={diff.error} onRetry={() => void diff.refetch()} />;
  return <Changes changes={diff.data} />;
}

function Changes({ changes }: { readonly changes: PolicyChanges }): ReactElement {
  const { added, removed, changed, settings, examples } = changes;
  if (added.length + removed.length + changed.length + settings.length === 0)
    return <p className="quiet small">No rule and no setting differs: only comments or spacing do.</p>;
  return (
    <div className="rule-changes">
      <ul>
        {settings.map(({ part, before, after }) => (
          <li key={part}>
            <b>{part}</b> was <code>{before || "nothing"}</code>, becomes <code>{after || "nothing"}</code>
          </li>
        ))}
        {added.map(({ name, effect }) => (
          <li key={`+${name}`}>
            Adds <b>{name}</b> <span className="quiet">({effect})</span>
          </li>
        ))}
        {removed.map(({ name, effect }) => (
          <li key={`-${name}`}>
            Removes <b>{name}</b> <span className="quiet">({effect})</span>
          </li>
        ))}
        {changed.map(({ name, parts }) => (
          <li key={name}>
            Changes <b>{name}</b>:{" "}
            {parts.map(({ part, before, after }, index) => (
              <span key={part}>
                {index > 0 && "; "}
                {part} <code>{before || "nothing"}</code> → <code>{after || "nothing"}</code>
              </span>
            ))}
          </li>
        ))}
      </ul>
      {examples.length > 0 && (
        <details open={examples.length <= 5}>
          <summary>{formatCount(examples.length, "example")} decided otherwise</summary>
          <ul>
            {examples.map(({ request, from, to, after }, index) => (
              <li key={index}>
                <EffectChange from={from} to={to} />
                <p>
                  <code>{request.action}</code> on <code>{request.resource || "anything"}</code>
                  <span className="quiet"> for {request.agent}</span>
                </p>
                <p className="quiet small">
                  <Prose text={after} />
                </p>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
