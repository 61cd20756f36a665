/** Turns a run's open messages into events, one batch each, so that a message and its event stand or fall together. */
import type { Actor } from "../base/ledger-entry.ts";
import { cancelApprovals } from "../gate/approvals.ts";
import type { Statement, Store } from "../store/store.ts";
import type { EventBody } from "./event.ts";
import { hasEnded } from "./fold.ts";
import type { RunState } from "./fold.ts";
import { markFolded, openMessages } from "./inbox.ts";
import type { InboxEntry } from "./inbox.ts";
import type { RunSession } from "./session.ts";

/** Throws LEASE_LOST and STORE_UNAVAILABLE. */
export async function foldInbox(session: RunSession, store: Pick<Store, "read">): Promise<void> {
  for (const entry of await openMessages(store, session.runId)) {
    const body = eventFor(session.state, entry);
    const seq = session.state.headSeq + (body === null ? 0 : 1);
    const extra: Statement[] = [markFolded(entry.id, seq)];
    if (body?.kind === "run.cancelled") extra.push(cancelApprovals(session.runId, body.by, entry.atMs));
    const actor: Actor = { kind: entry.message.by === "system" ? "system" : "user", id: entry.message.by };
    await session.append(body === null ? [] : [body], { extra, actor });
  }
}

/** Null when the message came too late to mean anything; it is then only marked as read. */
function eventFor(state: RunState, { message }: InboxEntry): EventBody | null {
  if (message.kind === "revive")
    return state.phase === "dead" ? { kind: "run.revived", by: message.by } : null;
  if (message.kind === "cancel") {
    // A dead letter may still be discarded; other ends are final.
    if (hasEnded(state) && state.phase !== "dead") return null;
    return { kind: "run.cancelled", by: message.by, reason: message.reason };
  }
  if (hasEnded(state)) return null;
  switch (message.kind) {
    case "pause":
      return state.phase === "paused" ? null : { kind: "run.paused", by: message.by, reason: message.reason };
    case "resume":
      return state.phase === "paused" ? { kind: "run.resumed", by: message.by } : null;
    case "approval": {
      if (state.steps.get(message.step)?.question?.id !== message.approvalId) return null;
      const { step, approvalId, answer, by, reason } = message;
      return { kind: "approval.decided", step, approvalId, answer, by, reason };
    }
    case "outcome": {
      if (state.steps.get(message.step)?.question?.id !== message.approvalId) return null;
      const { step, approvalId, answer, by, reason, output } = message;
      return { kind: "outcome.resolved", step, approvalId, answer, by, reason, output };
    }
  }
}
