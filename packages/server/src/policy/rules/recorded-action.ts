/** What is kept of a question to policy, so that another policy can be asked the same later. Plain data. */
import type { ActionFlow } from "./argument-origin.ts";
import type { ActionRequest, Decision } from "./decision.ts";

/** What policy was asked besides the action itself. Where its arguments came from stands in the decision. */
export interface Asked {
  readonly agent: string;
  readonly role: string;
  /** `user:ada`. */
  readonly user: string | null;
  readonly atMs: number;
  /** Further resources of the same action, each of which was judged. */
  readonly otherResources: readonly string[];
  /** The run's past is left out: it stands in the journal before. */
  readonly flow: Pick<ActionFlow, "isEffect" | "isRequested" | "newTargets"> | null;
  readonly risks: ActionRequest["risks"] | null;
}

export function askedOf(request: Omit<ActionRequest, "resource">, otherResources: readonly string[]): Asked {
  const { agent, role, user = null, atMs = 0, flow, risks = null } = request;
  return {
    agent,
    role,
    user,
    atMs,
    otherResources,
    risks,
    flow: flow === undefined ? null : flowOf(flow),
  };
}

function flowOf({ isEffect, isRequested, newTargets }: ActionFlow): NonNullable<Asked["flow"]> {
  return { isEffect, isRequested, newTargets };
}

/** One recorded action, ready to be asked about again. */
export interface RecordedAction {
  readonly runId: string;
  readonly step: string;
  /** The event it stands in. */
  readonly seq: number;
  readonly atMs: number;
  /** With the first of `resources`; the others are judged as well. */
  readonly request: Omit<ActionRequest, "resource">;
  /** At least one. */
  readonly resources: readonly string[];
  readonly recorded: Pick<Decision, "effect" | "revision"> & { readonly rules: readonly string[] };
  /** False when an older version recorded it, without role, user and more: it is judged by what is known. */
  readonly isComplete: boolean;
}
