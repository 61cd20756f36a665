/** Turns events written by older versions into today's shape. Pure; tested on journals kept from every release. */
import { HomeostatError } from "../../base/error.ts";
import { eventVersion } from "./event.ts";
import type { EventBody, EventKind } from "./event.ts";

/**
 * Throws RUN_VERSION_UNKNOWN for events of a newer version than this program, and for kinds that it does not know: to pass over an
 * event would fold the run into another state than it has. Version 1 is the first.
 */
export function upcast(version: number, kind: string, body: unknown): EventBody {
  if (version > eventVersion || version < 1) {
    throw new HomeostatError(
      "RUN_VERSION_UNKNOWN",
      `The journal holds a ${kind} event of schema version ${version}; this program knows up to ${eventVersion}`,
      { version, kind },
    );
  }
  if (!Object.hasOwn(eventKinds, kind)) {
    const message = `The journal holds an event of the kind ${kind}, which this program does not know`;
    throw new HomeostatError("RUN_VERSION_UNKNOWN", message, { version, kind });
  }
  // Proof of the cast: the journal's digest chain has been checked or the row was written by this program's own types.
  return { ...(body as object), kind } as EventBody;
}

/** A table, so that the compiler misses a kind that is left out. */
export const eventKinds: Readonly<Record<EventKind, true>> = {
  "run.created": true,
  "run.started": true,
  "run.paused": true,
  "run.resumed": true,
  "run.cancelled": true,
  "run.retrying": true,
  "run.failed": true,
  "run.died": true,
  "run.revived": true,
  "run.steered": true,
  "run.unwinding": true,
  "run.completed": true,
  "message.set_aside": true,
  "workspace.restored": true,
  "step.started": true,
  "step.completed": true,
  "step.carried": true,
  "step.skipped": true,
  "step.failed": true,
  "step.caught": true,
  "step.cancelled": true,
  "step.reopened": true,
  "child.ended": true,
  "signal.received": true,
  "action.intended": true,
  "action.completed": true,
  "action.failed": true,
  "action.held": true,
  "action.denied": true,
  "approval.requested": true,
  "approval.decided": true,
  "outcome.resolved": true,
};
