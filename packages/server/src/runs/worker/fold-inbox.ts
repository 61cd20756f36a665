/** Turns a run's open messages into events, one batch each, so that a message and its event stand or fall together. */
import { canonicalJson } from "../../base/canonical-json.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import { errorMessage } from "../../base/error.ts";
import type { Actor } from "../../base/ledger-entry.ts";
import { cancelApprovals } from "../../gate/approvals.ts";
import type { Statement, Store } from "../../store/store.ts";
import type { EventBody } from "../journal/event.ts";
import { hasEnded } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { markFolded, openMessages } from "../session/inbox.ts";
import type { InboxEntry, InboxMessage } from "../session/inbox.ts";
import type { RunSession } from "../session/session.ts";

export interface FoldInboxDeps {
  readonly store: Pick<Store, "read">;
  /** True when a run that is to be cancelled has something to undo first. */
  readonly mustUnwind: (state: RunState) => boolean;
  /** Told of each message before it is folded: from then on nobody needs to be interrupted for it. */
  readonly heard: (inboxId: number) => void;
}

/** Throws LEASE_LOST and STORE_UNAVAILABLE. */
export async function foldInbox(session: RunSession, deps: FoldInboxDeps): Promise<void> {
  for (const entry of await openMessages(deps.store, session.runId)) await foldEntry(session, entry, deps);
}

/** Messages that a run may hear while its steps act: they change the step they are for and nothing else. */
const answers: ReadonlySet<InboxMessage["kind"]> = new Set(["approval", "outcome", "signal", "child"]);

/**
 * As `foldInbox`, for a run whose branches are under way: stops before the first message that concerns the whole run (pause,
 * cancel), which has to wait until its branches have let go. Throws LEASE_LOST and STORE_UNAVAILABLE.
 */
export async function foldAnswers(
  session: RunSession,
  deps: FoldInboxDeps,
): Promise<{ readonly folded: number; readonly isStopped: boolean }> {
  let folded = 0;
  for (const entry of await openMessages(deps.store, session.runId)) {
    if (!answers.has(entry.message.kind)) return { folded, isStopped: true };
    await foldEntry(session, entry, deps);
    folded += 1;
  }
  return { folded, isStopped: false };
}

async function foldEntry(session: RunSession, entry: InboxEntry, deps: FoldInboxDeps): Promise<void> {
  deps.heard(entry.id);
  const message = withPlainReason(entry.message);
  const body = keepable(session.state, message, eventFor(session.state, message, deps));
  const ends = body?.kind === "run.cancelled" || body?.kind === "run.unwinding" ? body : undefined;
  const by = message.by.toWellFormed();
  const actor: Actor = { kind: by === "system" ? "system" : "user", id: by };
  await session.append(body === null ? [] : [body], {
    extra: (seq): readonly Statement[] => [
      markFolded(entry.id, seq),
      ...(ends === undefined ? [] : [cancelApprovals(session.runId, ends.by, entry.atMs)]),
    ],
    actor,
  });
}

/**
 * The event itself, or the record that its message was set aside: one message that cannot be journalled would else keep every later
 * one, a cancel too, from being read for ever.
 */
function keepable(state: RunState, message: InboxMessage, body: EventBody | null): EventBody | null {
  const why = body === null ? null : whyUnwritable(body);
  if (why === null) return body;
  if (hasEnded(state)) return null;
  return { kind: "message.set_aside", message: message.kind, by: message.by.toWellFormed(), why };
}

/** Why somebody cancels, pauses or answers is for people alone: it is never a cause not to heed them. */
function withPlainReason(message: InboxMessage): InboxMessage {
  if (!("reason" in message) || message.reason === null || message.reason.isWellFormed()) return message;
  return { ...message, reason: message.reason.toWellFormed() };
}

function whyUnwritable(body: EventBody): string | null {
  try {
    canonicalJson(body as unknown as JsonValue);
    return null;
  } catch (error) {
    return errorMessage(error);
  }
}

/** Null when the message came too late to mean anything; it is then only marked as read. */
function eventFor(state: RunState, message: InboxMessage, deps: FoldInboxDeps): EventBody | null {
  if (message.kind === "revive")
    return state.phase === "dead" ? { kind: "run.revived", by: message.by } : null;
  if (message.kind === "cancel") return cancelEvent(state, message, deps);
  if (hasEnded(state)) return null;
  switch (message.kind) {
    case "pause": {
      // A child that a person has paused stays so when its parent goes on.
      if (state.phase === "paused") return null;
      const { by, reason, heldBy } = message;
      return { kind: "run.paused", by, reason, ...(heldBy === undefined ? {} : { heldBy }) };
    }
    case "resume": {
      const isMeant = message.heldBy === undefined || message.heldBy === state.heldBy;
      return state.phase === "paused" && isMeant ? { kind: "run.resumed", by: message.by } : null;
    }
    case "steer":
      return { kind: "run.steered", by: message.by, message: message.message };
    case "signal":
      return { kind: "signal.received", name: message.name, data: message.data, by: message.by };
    case "child": {
      const { kind: _kind, by: _by, ...end } = message;
      return state.openChildren.has(message.childId) ? { kind: "child.ended", ...end } : null;
    }
    case "approval": {
      if (state.steps.get(message.step)?.question?.id !== message.approvalId) return null;
      const { step, approvalId, answer, by, reason, edit } = message;
      const edited = edit === undefined ? {} : { edit };
      return { kind: "approval.decided", step, approvalId, answer, by, reason, ...edited };
    }
    case "outcome": {
      if (state.steps.get(message.step)?.question?.id !== message.approvalId) return null;
      const { step, approvalId, answer, by, reason, output } = message;
      return { kind: "outcome.resolved", step, approvalId, answer, by, reason, output };
    }
  }
}

function cancelEvent(
  state: RunState,
  { by, reason }: Extract<InboxMessage, { kind: "cancel" }>,
  deps: FoldInboxDeps,
): EventBody | null {
  // A dead letter may still be discarded; other ends are final.
  if (hasEnded(state) && state.phase !== "dead") return null;
  // Asked again while it is undoing things, the run ends as it is.
  if (state.unwinding !== null || !deps.mustUnwind(state)) return { kind: "run.cancelled", by, reason };
  return { kind: "run.unwinding", outcome: "cancelled", error: null, by, reason };
}
