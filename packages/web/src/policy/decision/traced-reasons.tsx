/** Risk, changed texts and origins of the action a question is about; they stand with the run's step. Shows nothing when it has none. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { Approval } from "../../api/contract.ts";
import { stepQuery } from "../policy-queries.ts";
import { Origins, RiskScore, TextChanges } from "./decision-parts.tsx";

export function TracedReasons({ approval }: { readonly approval: Approval }): ReactElement | null {
  const step = useQuery({ ...stepQuery(approval.runId, approval.step), enabled: approval.kind === "action" });
  const decision = step.data?.decision;
  if (decision === undefined || decision === null) return null;
  return (
    <>
      {decision.score !== undefined && <RiskScore score={decision.score} />}
      {decision.transformed !== undefined && (
        <>
          <h3>Changed before it was decided</h3>
          <TextChanges transformed={decision.transformed} />
        </>
      )}
      {decision.origins !== undefined && decision.origins.length > 0 && (
        <>
          <h3>Where its arguments come from</h3>
          <Origins origins={decision.origins} runId={approval.runId} />
        </>
      )}
    </>
  );
}
