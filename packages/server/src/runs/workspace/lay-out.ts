/** Puts a run's workspace right before its steps see it, and says so where that undid something. */
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import { requireHeld } from "../session/require-held.ts";
import type { RunSession } from "../session/session.ts";
import type { Workspaces } from "./workspace.ts";
import type { WalkResult } from "../journal/step-result.ts";

/** Enough for a person to see what it was about. */
const mostNamed = 20;

/**
 * Null when the folder is exactly what the journal says. A fault (disk full, blob lost, no right to write) is the run's
 * own: it counts as an attempt, is shown, and after the last attempt the run is a dead letter. Throws STORE_UNAVAILABLE,
 * LEASE_LOST.
 */
export async function layOut(
  session: RunSession,
  workspaces: Pick<Workspaces, "restore">,
): Promise<Extract<WalkResult, { kind: "failed" }> | null> {
  const { state } = session;
  try {
    const isOurs = (): void => requireHeld(session.lease);
    const { putBack, removed } = await workspaces.restore(session.runId, state.workspace, isOurs);
    const count = putBack.length + removed.length;
    if (count === 0 || wasActing(session)) return null;
    const named = { putBack: putBack.slice(0, mostNamed), removed: removed.slice(0, mostNamed) };
    await session.append([{ kind: "workspace.restored", ...named, count }]);
    return null;
  } catch (error) {
    if (isHomeostatError(error, "STORE_UNAVAILABLE") || isHomeostatError(error, "LEASE_LOST")) throw error;
    const message = `The run's workspace could not be laid out: ${errorMessage(error)}`;
    const hint = isHomeostatError(error)
      ? error.hint
      : "See that the data folder can be written and has space; then the run goes on or is tried again with `homeostat retry`.";
    return { kind: "failed", error: { code: "WORKSPACE_UNUSABLE", message, hint }, transient: true };
  }
}

/** What an act left half done is not somebody's edit. */
function wasActing({ state }: RunSession): boolean {
  for (const step of state.steps.values()) if (step.outcomeMissing) return true;
  return false;
}
