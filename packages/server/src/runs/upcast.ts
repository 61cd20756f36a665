/** Turns events written by older versions into today's shape. Pure; tested on journals kept from every release. */
import { HomeostatError } from "../base/error.ts";
import { eventVersion } from "./event.ts";
import type { EventBody } from "./event.ts";

/** Throws RUN_VERSION_UNKNOWN for events of a newer version than this program. Version 1 is the first. */
export function upcast(version: number, kind: string, body: unknown): EventBody {
  if (version > eventVersion || version < 1) {
    throw new HomeostatError(
      "RUN_VERSION_UNKNOWN",
      `The journal holds a ${kind} event of schema version ${version}; this program knows up to ${eventVersion}`,
      { version, kind },
    );
  }
  // Proof of the cast: the journal's digest chain has been checked or the row was written by this program's own types.
  return { ...(body as object), kind } as EventBody;
}
