/** What people and timers may do to a run from outside: each is one message in its inbox, with its proof, in one batch. */
import type { Actor, LedgerEntry } from "../base/ledger-entry.ts";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { commit } from "../base/digest.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import { createId, createSalt } from "../base/id.ts";
import { decideApproval, mayAnswer, requireApproval } from "../gate/approvals.ts";
import type { Approval } from "../gate/approvals.ts";
import { runFromStore } from "../queue/run-row.ts";
import type { RunRow } from "../queue/run-row.ts";
import { isEnded } from "../queue/task.ts";
import { outboxInsert } from "../store/outbox.ts";
import type { Statement, Store } from "../store/store.ts";
import { putMessage } from "./inbox.ts";
import type { InboxMessage } from "./inbox.ts";

export interface ControlDeps {
  readonly store: Store;
  readonly clock: Clock;
}

export interface Caller {
  readonly id: string;
  readonly tenant: string;
  readonly role: string;
}

/** Throws RUN_NOT_FOUND, also for a run of another tenant: nobody learns that it exists. */
export async function requireRun(store: Pick<Store, "read">, tenant: string, runId: string): Promise<RunRow> {
  const [row] = await store.read("SELECT * FROM runs WHERE id = ? AND tenant = ?", [runId, tenant]);
  if (row === undefined)
    throw new HomeostatError("RUN_NOT_FOUND", `There is no run ${runId}`, { run: runId });
  return runFromStore(row);
}

export type RunCommand = "pause" | "resume" | "cancel" | "retry" | "discard";

/** Throws RUN_NOT_FOUND, or RUN_STATE_CONFLICT when the command makes no sense in the run's state. */
export async function commandRun(
  deps: ControlDeps,
  request: {
    readonly tenant: string;
    readonly runId: string;
    readonly command: RunCommand;
    readonly by: string;
    readonly reason: string | null;
  },
): Promise<void> {
  const row = await requireRun(deps.store, request.tenant, request.runId);
  requireSense(row, request.command);
  const message = messageFor(request.command, request.by, request.reason);
  // One message of a kind per head: asking twice for the same thing is answered once.
  const key = `${request.command}/${row.headSeq}`;
  const nowMs = deps.clock.now();
  try {
    await deps.store.write([
      ...putMessage(request.runId, key, message, nowMs),
      proof(
        { type: `run.${request.command}_requested`, tenant: row.tenant, actor: userActor(request.by) },
        nowMs,
        { run: request.runId },
      ),
    ]);
  } catch (error) {
    if (isHomeostatError(error, "STORE_CONFLICT")) return;
    throw error;
  }
}

function requireSense(row: RunRow, command: RunCommand): void {
  const isPaused = row.waiting?.kind === "pause";
  const sense: Readonly<Record<RunCommand, boolean>> = {
    pause: !isEnded(row.state) && !isPaused,
    resume: isPaused,
    cancel: !isEnded(row.state),
    retry: row.state === "DEAD",
    discard: row.state === "DEAD",
  };
  if (sense[command]) return;
  const state = isPaused ? "paused" : row.state;
  throw new HomeostatError("RUN_STATE_CONFLICT", `Cannot ${command} ${row.id}: it is ${state}`, {
    run: row.id,
    state: row.state,
  });
}

function messageFor(command: RunCommand, by: string, reason: string | null): InboxMessage {
  switch (command) {
    case "pause":
      return { kind: "pause", by, reason };
    case "resume":
      return { kind: "resume", by };
    case "retry":
      return { kind: "revive", by };
    case "cancel":
    case "discard":
      return { kind: "cancel", by, reason };
  }
}

export type Answer = "approve" | "reject" | "happened" | "did-not-happen" | "abandon";

/**
 * Answers a question; the first answer wins. Throws APPROVAL_NOT_FOUND, AUTHORIZATION_DENIED, APPROVAL_CONFLICT (already
 * answered), REQUEST_INVALID (an answer that does not fit the question).
 */
export async function answerApproval(
  deps: ControlDeps,
  request: {
    readonly id: string;
    readonly answer: Answer;
    readonly caller: Caller;
    readonly reason: string | null;
    /** What an action that did happen gave back, as a person knows it. */
    readonly result: JsonValue;
  },
): Promise<Approval> {
  const approval = await requireApproval(deps.store, request.id, request.caller.tenant);
  requireFit(approval, request.answer, request.caller);
  const nowMs = deps.clock.now();
  const { id: by } = request.caller;
  const { answer, reason } = request;
  const base = { approvalId: approval.id, step: approval.step, by, reason };
  const message: InboxMessage =
    answer === "approve" || answer === "reject"
      ? { kind: "approval", ...base, answer }
      : { kind: "outcome", ...base, answer, output: request.result };
  await decide(deps, approval, message, nowMs);
  return await requireApproval(deps.store, request.id);
}

/** A question nobody answered in time counts as refused. Does nothing when somebody was faster. */
export async function expireQuestion(
  deps: ControlDeps,
  question: { readonly runId: string; readonly step: string; readonly approvalId: string },
): Promise<void> {
  const approval = await requireApproval(deps.store, question.approvalId);
  const { approvalId, step } = question;
  const message: InboxMessage = {
    kind: "approval",
    approvalId,
    step,
    answer: "expire",
    by: "system",
    reason: null,
  };
  try {
    await decide(deps, approval, message, deps.clock.now());
  } catch (error) {
    if (!isHomeostatError(error, "APPROVAL_CONFLICT")) throw error;
  }
}

async function decide(
  deps: ControlDeps,
  approval: Approval,
  message: Extract<InboxMessage, { readonly approvalId: string }>,
  atMs: number,
): Promise<void> {
  const { id, runId } = approval;
  const actor: Actor = { kind: message.by === "system" ? "system" : "user", id: message.by };
  try {
    await deps.store.write([
      decideApproval({ id, answer: message.answer, by: message.by, atMs, reason: message.reason }),
      ...putMessage(runId, `approval/${id}`, message, atMs),
      proof(
        { type: "approval.answered", tenant: approval.tenant, actor },
        atMs,
        {
          approval: id,
          run: runId,
          step: approval.step,
          answer: message.answer,
          args: approval.argsDigest,
        },
        message.reason,
      ),
    ]);
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    const now = await requireApproval(deps.store, id);
    throw new HomeostatError(
      "APPROVAL_CONFLICT",
      `Approval ${id} was already answered: ${now.status} by ${now.decidedBy ?? "somebody"}`,
      { id, status: now.status, decidedBy: now.decidedBy },
      { cause: error },
    );
  }
}

function requireFit(approval: Approval, answer: Answer, caller: Caller): void {
  if (!mayAnswer(approval, caller.role)) {
    throw new HomeostatError(
      "AUTHORIZATION_DENIED",
      `Approval ${approval.id} is for ${approval.by.join(" or ")}; you are ${caller.role}`,
      { id: approval.id },
    );
  }
  const fitting =
    approval.kind === "outcome" ? ["happened", "did-not-happen", "abandon"] : ["approve", "reject"];
  if (fitting.includes(answer)) return;
  throw new HomeostatError(
    "REQUEST_INVALID",
    `"${answer}" does not answer ${approval.id}; it takes ${fitting.join(", ")}`,
    { id: approval.id, answer },
  );
}

export function userActor(id: string): Actor {
  return { kind: "user", id };
}

/** A ledger entry of its own. The reason is personal data: only a salted commitment goes in. */
export function proof(
  { type, tenant, actor }: { readonly type: string; readonly tenant: string; readonly actor: Actor },
  atMs: number,
  data: JsonObject,
  reason: string | null = null,
): Statement {
  const salt = createSalt();
  const entry: LedgerEntry = {
    v: 1,
    key: createId("ent", atMs),
    at: new Date(atMs).toISOString(),
    type,
    tenant,
    actor,
    labels: [],
    salt,
    data: reason === null ? data : { ...data, reason: commit(salt, reason) },
  };
  return outboxInsert(entry.key, entry);
}
