/** The sign of each kind of step. */
import type { StepKind } from "../../api/contract.ts";
import type { IconName } from "../../ui/icon.tsx";

export const kindIcons: Readonly<Record<StepKind, IconName>> = {
  tool: "tool",
  branch: "branch",
  for_each: "loop",
  parallel: "branch",
  group: "set",
  workflow: "auto",
  approval: "person",
  wait: "clock",
  set: "set",
};
