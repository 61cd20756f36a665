/** The part of a rule that speaks of data flow: origins of arguments, what the run did before, what the task asks for. Pure. */
import { matchesGlob } from "../../base/glob.ts";
import type { Glob } from "../../base/glob.ts";
import { describeOrigin, targetRoles } from "./argument-origin.ts";
import type { ActionFlow, ArgumentOrigin, ArgumentRole, OriginKind, PastAct } from "./argument-origin.ts";
import type { OriginLabel } from "./argument-origin.ts";

/** `target`: what an attacker wants to choose. `outward`: targets without identifiers. `any`: every argument. */
export const roleGroups = ["any", "target", "outward"] as const;
export type RoleGroup = (typeof roleGroups)[number];

/** All parts must match. A rule with such conditions never matches an action whose flow nobody traced. */
export interface FlowConditions {
  readonly arguments: readonly ArgumentCondition[];
  /** `requested`: whether the task asks for this kind of action; null: whatever it asks. Unknown is neither. */
  readonly isRequested: boolean | null;
  /** `acts`: whether the action changes something or only looks; null: either. */
  readonly isEffect: boolean | null;
  /** `first_use: true`: a target this agent has not used before. */
  readonly isFirstUse: boolean;
  readonly after: readonly PastCondition[];
}

/** One argument must have all of it. */
export interface ArgumentCondition {
  readonly role: ArgumentRole | RoleGroup;
  /** Empty: from anywhere. */
  readonly from: readonly OriginKind[];
  /** Any of these; empty: any. */
  readonly labels: readonly OriginLabel[];
  /** The least score of the passage the value stands in. */
  readonly instructed: number | null;
  readonly isDelegated: boolean | null;
}

/** So many acts of the run's past must have all of it. */
export interface PastCondition {
  /** Names that cover what follows their dots, as in a rule's `action`. Empty: any. */
  readonly actions: readonly string[];
  readonly resources: readonly Glob[];
  readonly labels: readonly OriginLabel[];
  readonly outcome: PastAct["outcome"] | null;
  readonly instructed: number | null;
  readonly count: number;
  /** Only the last so many acts. */
  readonly within: number | null;
}

/** Undefined: not matched. Else what matched, in words; empty when there is nothing to add. */
export function matchFlow(conditions: FlowConditions, flow: ActionFlow | undefined): string | undefined {
  if (flow === undefined) return undefined;
  if (conditions.isRequested !== null && !(flow.isEffect && flow.isRequested === conditions.isRequested))
    return undefined;
  if (conditions.isEffect !== null && flow.isEffect !== conditions.isEffect) return undefined;
  if (conditions.isFirstUse && !((flow.newTargets ?? 0) > 0)) return undefined;
  const notes: string[] = [];
  for (const condition of conditions.arguments) {
    const found = flow.arguments.find((origin) => matchesOrigin(condition, origin));
    if (found === undefined) return undefined;
    notes.push(describeOrigin(found));
  }
  for (const past of conditions.after) {
    const acts = (past.within === null ? flow.history : flow.history.slice(-past.within)).filter((act) =>
      matchesPast(past, act),
    );
    if (acts.length < past.count) return undefined;
    notes.push(`after ${acts.at(-1)!.action}${acts.length > 1 ? ` (${acts.length} times)` : ""}`);
  }
  return notes.join(", ");
}

export function matchesOrigin(condition: ArgumentCondition, origin: ArgumentOrigin): boolean {
  const { role, from, labels, instructed, isDelegated } = condition;
  return (
    isInGroup(origin.role, role) &&
    (from.length === 0 || from.includes(origin.from)) &&
    (labels.length === 0 || labels.some((label) => origin.labels.includes(label))) &&
    (instructed === null || origin.instructed >= instructed) &&
    (isDelegated === null || origin.isDelegated === isDelegated)
  );
}

function isInGroup(role: ArgumentRole, wanted: ArgumentRole | RoleGroup): boolean {
  if (wanted === "any") return true;
  if (wanted === "target") return targetRoles.has(role);
  if (wanted === "outward") return targetRoles.has(role) && role !== "identifier";
  return role === wanted;
}

function matchesPast(condition: PastCondition, act: PastAct): boolean {
  const { actions, resources, labels, outcome, instructed } = condition;
  return (
    (actions.length === 0 ||
      actions.some((name) => name === "*" || act.action === name || act.action.startsWith(`${name}.`))) &&
    (resources.length === 0 || resources.some((glob) => matchesGlob(glob, act.resource))) &&
    (labels.length === 0 || labels.some((label) => act.labels.includes(label))) &&
    (outcome === null || act.outcome === outcome) &&
    (instructed === null || act.instructed >= instructed)
  );
}

/** The conditions as a rule's explanation says them. */
export function describeFlow({
  arguments: origins,
  isRequested,
  isEffect,
  isFirstUse,
  after,
}: FlowConditions): readonly string[] {
  const parts: string[] = [];
  for (const { role, from, labels, instructed, isDelegated } of origins) {
    const words = [
      ...(from.length === 0 ? [] : [`from ${from.join(" or ")}`]),
      ...(labels.length === 0 ? [] : [`labelled ${labels.join(" or ")}`]),
      ...(instructed === null ? [] : [`in a passage that instructs (${instructed} or more)`]),
      ...(isDelegated === null
        ? []
        : [isDelegated ? "whose source the task names" : "whose source the task does not name"]),
    ];
    parts.push(`${role === "any" ? "an argument" : role} ${words.join(", ")}`.trim());
  }
  if (isRequested !== null)
    parts.push(isRequested ? "which the task asks for" : "which the task does not ask for");
  if (isEffect !== null)
    parts.push(isEffect ? "an action that changes something" : "an action that only looks");
  if (isFirstUse) parts.push("a target not used before");
  for (const { actions, labels, instructed, outcome, count, within } of after) {
    const what = [
      ...actions,
      ...(labels.length === 0 ? [] : [`a read from ${labels.join(" or ")}`]),
      ...(outcome === null ? [] : [outcome]),
      ...(instructed === null ? [] : [`a passage that instructs (${instructed} or more)`]),
    ];
    parts.push(
      `after ${what.join(", ")}${count > 1 ? ` ${count} times` : ""}${within === null ? "" : ` within ${within} steps`}`,
    );
  }
  return parts;
}
