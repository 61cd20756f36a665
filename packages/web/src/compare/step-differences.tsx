/** Steps that differ between two runs, each opens to its values. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { RunDiff } from "../api/run-calls.ts";
import { formatDuration } from "../format/duration.ts";
import { formatCount } from "../format/quantity.ts";
import { Icon } from "../ui/icon.tsx";
import { ValueDifferences } from "./value-differences.tsx";

type StepDifference = RunDiff["steps"][number];

interface Props {
  readonly a: string;
  readonly b: string;
  readonly steps: readonly StepDifference[];
}

/** A few open by themselves; of many only the names are read first. */
const openUpTo = 4;

export function StepDifferences({ a, b, steps }: Props): ReactElement {
  return (
    <ul className="compare-steps">
      {steps.map((step) => (
        <li key={step.path}>
          <details open={steps.length <= openUpTo && step.change === "changed"}>
            <summary>
              <Icon name="right" size={12} />
              <code>{step.path}</code>
              <span className="quiet small">{changeText(step)}</span>
              <Durations step={step} />
            </summary>
            <div className="compare-step">
              <p className="small cluster">
                {step.change !== "only-b" && (
                  <Link to="/runs/$runId" params={{ runId: a }} search={{ step: step.path }}>
                    in A
                  </Link>
                )}
                {step.change !== "only-a" && (
                  <Link to="/runs/$runId" params={{ runId: b }} search={{ step: step.path }}>
                    in B
                  </Link>
                )}
              </p>
              {step.differences.length > 0 && (
                <ValueDifferences of={step.path} differences={step.differences} />
              )}
            </div>
          </details>
        </li>
      ))}
    </ul>
  );
}

function changeText(step: StepDifference): string {
  switch (step.change) {
    case "only-a":
      return "only in A";
    case "only-b":
      return "only in B";
    case "changed":
      return formatCount(step.differences.length, "difference");
  }
}

function Durations({ step }: { readonly step: StepDifference }): ReactElement | null {
  const { a, b } = step.durationMs;
  if (a === null && b === null) return null;
  return (
    <span className="compare-took">
      {a === null ? "–" : formatDuration(a)} / {b === null ? "–" : formatDuration(b)}
    </span>
  );
}
