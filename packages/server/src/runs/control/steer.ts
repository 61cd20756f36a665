/** A person's word to a run that is under way: one message in its inbox, which its workflow then reads. */
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { refuseSecret } from "../../base/refuse-secret.ts";
import { createId } from "../../base/id.ts";
import { isEnded } from "../../queue/task.ts";
import { proof, requireRun, userActor } from "./control.ts";
import type { ControlDeps } from "./control.ts";
import { putMessage, requireRoom } from "../session/inbox.ts";

/** Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT (the run has ended), REQUEST_INVALID (a secret in the message), MAILBOX_FULL. */
export async function steerRun(
  deps: ControlDeps,
  request: {
    readonly tenant: string;
    readonly runId: string;
    readonly by: string;
    readonly message: string;
    /** The same key says the same thing once. */
    readonly dedupKey?: string;
  },
): Promise<void> {
  const { tenant, runId, by, message } = request;
  const row = await requireRun(deps.store, tenant, runId);
  if (isEnded(row.state)) {
    const text = `Cannot steer ${runId}: it is ${row.state}`;
    throw new HomeostatError("RUN_STATE_CONFLICT", text, { run: runId, state: row.state });
  }
  refuseSecret(deps.holdsSecret, message, { what: "The message", path: "body.message" });
  await requireRoom(deps.store, runId);
  const nowMs = deps.clock.now();
  const key = `steer/${request.dedupKey === undefined ? createId("inb", nowMs) : `${by}/${request.dedupKey}`}`;
  try {
    await deps.store.write([
      ...putMessage(runId, key, { kind: "steer", by, message }, nowMs),
      proof({ type: "run.steer_requested", tenant, actor: userActor(by) }, nowMs, { run: runId }, message),
    ]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
  }
}
