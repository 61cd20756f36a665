/** What starts runs of a workflow by itself. */
import type { ReactElement } from "react";
import type { RegisteredWorkflow } from "../api/workflow-calls.ts";
import { Icon, type IconName } from "../ui/icon.tsx";

type Trigger = RegisteredWorkflow["triggers"][number];

const icons: Readonly<Record<Trigger["kind"], IconName>> = {
  cron: "clock",
  interval: "loop",
  webhook: "external",
};

export function TriggerChips({ triggers }: { readonly triggers: readonly Trigger[] }): ReactElement | null {
  if (triggers.length === 0) return null;
  return (
    <ul className="cluster" aria-label="Triggers">
      {triggers.map((trigger) => (
        <li key={`${trigger.kind} ${trigger.name}`} className="trigger">
          <Icon name={icons[trigger.kind]} size={13} />
          <span className="visually-hidden">{trigger.kind}</span>
          <span>{trigger.name}</span>
          <code className="quiet">{trigger.detail}</code>
        </li>
      ))}
    </ul>
  );
}
