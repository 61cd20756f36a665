/** The steps of a workflow before it runs. */
import type { ReactElement } from "react";
import { kindIcons } from "../run/timeline/kind-icons.ts";
import { Icon } from "../ui/icon.tsx";
import type { OutlineStep } from "./read-workflow.ts";

export function Outline({ steps }: { readonly steps: readonly OutlineStep[] }): ReactElement {
  return (
    <ol className="outline">
      {steps.map((step) => (
        <li key={step.key} data-kind={step.kind} style={{ paddingLeft: step.depth * 20 }}>
          <span className="outline-icon">
            <Icon name={step.kind === "case" ? "right" : kindIcons[step.kind]} size={13} />
          </span>
          <span className="outline-title">{step.title}</span>
          <span className="outline-detail">{step.detail}</span>
        </li>
      ))}
    </ol>
  );
}
