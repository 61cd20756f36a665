/** Where a question stands: the runs around it from the outermost, each with the step that waits, down to its own. */
import { Link } from "@tanstack/react-router";
import { Fragment, type ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { Icon } from "../ui/icon.tsx";

type Place = Pick<Approval, "runPath" | "runId" | "workflow" | "step">;

export function RunPath({
  of,
  withOwn = true,
}: {
  readonly of: Place;
  readonly withOwn?: boolean;
}): ReactElement {
  const own = { runId: of.runId, workflow: of.workflow, step: of.step };
  const places = withOwn ? [...of.runPath, own] : of.runPath;
  return (
    <span className="run-path">
      {places.map(({ runId, workflow, step }) => (
        <Fragment key={`${runId} ${step}`}>
          <Link to="/runs/$runId" params={{ runId }} search={{ step }}>
            {workflow}
          </Link>
          <Icon name="right" size={10} />
          <code>{step}</code>
          {(runId !== of.runId || !withOwn) && <Icon name="right" size={10} />}
        </Fragment>
      ))}
      {!withOwn && <code>{of.step}</code>}
    </span>
  );
}
