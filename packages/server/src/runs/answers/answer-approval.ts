/** Answers to questions: who may, whose vote it is, how many it takes; the deciding one is a message to the run, in one batch. */
import { castVote, votesOn, withdrawVotes } from "../../approvals/votes.ts";
import { findVoid } from "../../approvals/find-void.ts";
import { countingDelegates } from "../../approvals/hand-ons.ts";
import { useLink } from "../../approvals/links.ts";
import { lookUpPeople } from "../../approvals/people.ts";
import type { People, PeopleDeps } from "../../approvals/people.ts";
import { findResponder } from "../../approvals/responder.ts";
import type { Delegator } from "../../approvals/responder.ts";
import { insertStanding, planStanding } from "../../approvals/standing.ts";
import type { Remember } from "../../approvals/standing.ts";
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { digestJson } from "../../base/digest.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { createId } from "../../base/id.ts";
import type { Actor } from "../../base/ledger-entry.ts";
import { decideApproval, editApproval, requireApproval } from "../../gate/approvals.ts";
import type { Approval } from "../../gate/approvals.ts";
import type { Statement, Store } from "../../store/store.ts";
import { proof, userActor } from "../control/control.ts";
import type { Caller } from "../control/control.ts";
import { putMessage } from "../session/inbox.ts";
import type { InboxMessage } from "../session/inbox.ts";

export interface AnswerDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Who a principal is now: what was delegated, and a vote that was cast, is worth what its owner may still do. */
  readonly holderOf: PeopleDeps["holderOf"];
  /** Throws ACTION_INVALID or REQUEST_INVALID for arguments the action cannot take. */
  readonly checkArguments: (action: string, args: JsonObject) => void;
  /** True for a text that holds a key, token or password. */
  readonly holdsSecret: (text: string) => boolean;
}

export type Answer = "approve" | "reject" | "happened" | "did-not-happen" | "abandon";

export interface AnswerRequest {
  readonly id: string;
  readonly answer: Answer;
  readonly caller: Caller;
  readonly reason: string | null;
  /** What an action that did happen gave back, as a person knows it. */
  readonly result: JsonValue;
  /** With `approve`: the arguments to use instead. The whole gate judges them anew. */
  readonly edit?: JsonObject | undefined;
  /** With `approve`: the same again need not be asked. */
  readonly remember?: Remember | undefined;
  /** The link that the answer came with; used up by it. */
  readonly link?: string | undefined;
}

type DecidingMessage = Extract<InboxMessage, { readonly approvalId: string }>;

const systemActor: Actor = { kind: "system", id: "system" };

/** So many people may answer at the very same moment and each be counted. */
const maxTries = 20;

/**
 * Answers a question; the first answer wins, or as many as the quorum asks. Throws APPROVAL_NOT_FOUND, AUTHORIZATION_DENIED,
 * APPROVAL_CONFLICT (already answered, or this person's vote is in), REQUEST_INVALID (an answer that does not fit).
 */
export async function answerApproval(deps: AnswerDeps, request: AnswerRequest): Promise<Approval> {
  for (let tries = 1; ; tries += 1) {
    const asked = await requireApproval(deps.store, request.id, request.caller.tenant);
    requireFit(asked, request, deps);
    await requireInTime(deps, asked, request);
    const people = lookUpPeople(deps, asked.tenant);
    const approval = { ...asked, delegates: await countingDelegates(people, asked) };
    const countsFor = await requireResponder(people, approval, request);
    try {
      if (request.answer === "approve" && (await withdrawEnded(deps, people, approval))) continue;
      await deps.store.write(batchFor(deps, approval, { ...request, countsFor }));
      return await requireApproval(deps.store, request.id);
    } catch (error) {
      if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
      // Somebody else's vote was counted meanwhile: this one may now be the deciding one.
      const isCounted = error.data["guard"] === "approval-votes" && tries < maxTries;
      const now = await requireApproval(deps.store, request.id);
      if (!isCounted || now.status !== "waiting") throw conflict(now, request, error);
    }
  }
}

/** Votes of those who may not answer any more are taken back before another is counted. True when there were such. */
async function withdrawEnded(deps: AnswerDeps, people: People, approval: Approval): Promise<boolean> {
  if (approval.votes === 0) return false;
  const { id, tenant, runId: run, votes: votesBefore } = approval;
  const votes = await votesOn(deps.store, id);
  const reasons = await Promise.all(
    votes.map(({ voter: createdBy, atMs: createdAtMs }) =>
      findVoid(people, { createdBy, createdAtMs }, approval),
    ),
  );
  const ended = votes.filter((_, index) => reasons[index] !== undefined);
  if (ended.length === 0) return false;
  const fact = { type: "approval.vote_withdrawn", tenant, actor: systemActor };
  const atMs = deps.clock.now();
  await deps.store.write([
    ...withdrawVotes(ended, id, votesBefore),
    ...ended.map(({ voter, countsFor }) => proof(fact, atMs, { approval: id, run, voter, countsFor })),
  ]);
  return true;
}

/** A no without a reason teaches nobody. */
export function requireReason(given: {
  readonly id: string;
  readonly answer: string;
  readonly reason: string | null;
}) {
  if (given.answer !== "reject" || given.reason !== null) return;
  throw new HomeostatError(
    "REQUEST_INVALID",
    "A rejection needs a reason",
    { id: given.id },
    {
      place: { path: "body.reason" },
    },
  );
}

/** A question nobody answered in time counts as refused. Does nothing when somebody was faster. */
export async function expireQuestion(
  deps: Pick<AnswerDeps, "store" | "clock">,
  question: { readonly runId: string; readonly step: string; readonly approvalId: string },
): Promise<void> {
  const { approvalId, step } = question;
  const approval = await requireApproval(deps.store, approvalId);
  const message = {
    kind: "approval",
    approvalId,
    step,
    answer: "expire",
    by: "system",
    reason: null,
  } as const;
  try {
    await deps.store.write(decisionOf(approval, message, deps.clock.now()));
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
  }
}

/**
 * A yes that comes too late is none. A worker lets questions expire, but not while the run is paused or no worker lives: then
 * it is done here.
 */
async function requireInTime(
  deps: AnswerDeps,
  { id, runId, step, status, expiresAtMs }: Approval,
  { answer }: AnswerRequest,
): Promise<void> {
  if (answer !== "approve" || status !== "waiting") return;
  if (expiresAtMs === null || deps.clock.now() < expiresAtMs) return;
  await expireQuestion(deps, { runId, step, approvalId: id });
  throw new HomeostatError(
    "APPROVAL_CONFLICT",
    `Approval ${id} expired at ${new Date(expiresAtMs).toISOString()}`,
    { id, status: "expired", decidedBy: null },
    { hint: "Nobody answered in time, which counts as a no. Run the task again to be asked anew." },
  );
}

type Counted = AnswerRequest & { readonly countsFor: string };

/** A consent is a vote first; only the one that completes the quorum decides. A refusal decides at once. */
function batchFor(deps: AnswerDeps, approval: Approval, request: Counted): readonly Statement[] {
  const { id, answer, reason, countsFor, caller } = request;
  const atMs = deps.clock.now();
  const link = request.link === undefined ? [] : [useLink(request.link, atMs)];
  if (answer !== "approve") return [...link, ...decisionOf(approval, messageOf(approval, request), atMs)];
  const vote = castVote({ approvalId: id, countsFor, voter: caller.id, reason, atMs }, approval.votes);
  if (approval.votes + 1 < approval.quorum) return [...link, ...vote, votedProof(approval, request, atMs)];
  return [
    ...link,
    ...vote,
    ...decisionOf(approval, messageOf(approval, request), atMs),
    ...(request.edit === undefined ? [] : [editApproval(id, request.edit)]),
    ...standingOf(approval, request, atMs),
  ];
}

function messageOf(approval: Approval, request: Counted): DecidingMessage {
  const { answer, reason, edit } = request;
  const base = { approvalId: approval.id, step: approval.step, by: request.caller.id, reason };
  if (answer === "approve")
    return { kind: "approval", ...base, answer, ...(edit === undefined ? {} : { edit }) };
  if (answer === "reject") return { kind: "approval", ...base, answer };
  return { kind: "outcome", ...base, answer, output: request.result };
}

/** The row, the message with its wake-up, and the fact for the ledger. */
function decisionOf(approval: Approval, message: DecidingMessage, atMs: number): readonly Statement[] {
  const { id, runId, step, argsDigest: args, tenant } = approval;
  const actor = message.by === "system" ? systemActor : userActor(message.by);
  const { answer, by, reason } = message;
  const edit =
    message.kind === "approval" && message.edit !== undefined ? digestJson(message.edit) : undefined;
  const data = { approval: id, run: runId, step, answer, args, ...(edit === undefined ? {} : { edit }) };
  return [
    decideApproval({ id, answer, by, atMs, reason }),
    ...putMessage(runId, `approval/${id}`, message, atMs),
    proof({ type: "approval.answered", tenant, actor }, atMs, data, reason),
  ];
}

function votedProof(approval: Approval, { caller, countsFor, reason }: Counted, atMs: number): Statement {
  const { id, runId, tenant, votes, quorum, argsDigest: args } = approval;
  const data = { approval: id, run: runId, countsFor, votes: votes + 1, quorum, args };
  return proof({ type: "approval.voted", tenant, actor: userActor(caller.id) }, atMs, data, reason);
}

function standingOf(approval: Approval, { remember, caller }: Counted, atMs: number): readonly Statement[] {
  if (remember === undefined) return [];
  const standing = planStanding(approval, remember, { id: createId("sta", atMs), by: caller.id, atMs });
  const { id, action, resource, scope, scopeId, argsDigest, expiresAtMs } = standing;
  const data = {
    standing: id,
    approval: approval.id,
    action,
    resource,
    scope,
    scopeId,
    args: argsDigest,
    expiresAtMs,
  };
  const fact = { type: "approval.remembered", tenant: approval.tenant, actor: userActor(caller.id) };
  return [insertStanding(standing), proof(fact, atMs, data)];
}

async function requireResponder(people: People, approval: Approval, request: AnswerRequest): Promise<string> {
  const { caller } = request;
  const delegators = await people.delegatorsOf(caller.id);
  const isConsent = request.answer === "approve" || request.answer === "happened";
  const responder = findResponder(approval, caller, { delegators, isConsent });
  if (responder.kind === "may") {
    requireMayRemember(approval, request, delegators);
    return responder.countsFor;
  }
  throw new HomeostatError("AUTHORIZATION_DENIED", `You may not answer ${approval.id}: ${responder.why}`, {
    id: approval.id,
  });
}

/** Whom only this one question was handed to does not answer for the next ones like it. */
function requireMayRemember(
  approval: Approval,
  { remember, caller }: AnswerRequest,
  delegators: readonly Delegator[],
): void {
  if (remember === undefined) return;
  const responder = findResponder({ ...approval, delegates: [] }, caller, { delegators, isConsent: true });
  if (responder.kind === "may-not")
    throw unfit(approval, "it alone was handed to you: an answer to the next ones is not yours to give");
}

function requireFit(approval: Approval, request: AnswerRequest, deps: AnswerDeps): void {
  const { answer, edit, remember, reason, result } = request;
  if (deps.holdsSecret(JSON.stringify([reason, result])))
    throw new HomeostatError(
      "REQUEST_INVALID",
      "The answer holds what looks like a secret (a key, token or password)",
      { id: approval.id },
      { hint: "Everything answered is kept in the run's journal." },
    );
  const fitting =
    approval.kind === "outcome" ? ["happened", "did-not-happen", "abandon"] : ["approve", "reject"];
  if (!fitting.includes(answer)) {
    throw new HomeostatError(
      "REQUEST_INVALID",
      `"${answer}" does not answer ${approval.id}; it takes ${fitting.join(", ")}`,
      { id: approval.id, answer },
    );
  }
  if (edit === undefined && remember === undefined) return;
  if (answer !== "approve") throw unfit(approval, "only a yes can carry an edit or be remembered");
  if (edit === undefined) return;
  if (approval.kind !== "action") throw unfit(approval, "only an action has arguments to edit");
  if (approval.quorum > 1)
    throw unfit(approval, "others have to agree to the same arguments: reject it instead");
  if (remember !== undefined) throw unfit(approval, "edited arguments are for this once");
  deps.checkArguments(approval.action!, edit);
}

function unfit({ id }: Approval, why: string): HomeostatError {
  return new HomeostatError("REQUEST_INVALID", `This answer does not fit ${id}: ${why}`, { id });
}

function conflict(now: Approval, { id, caller }: AnswerRequest, cause: HomeostatError): HomeostatError {
  const { status, decidedBy } = now;
  if (cause.data["guard"] === "approval-link")
    return new HomeostatError("APPROVAL_LINK_INVALID", "This link was used", {}, { cause });
  const text =
    status === "waiting"
      ? `The vote of ${caller.id} on ${id} is in already`
      : `Approval ${id} was already answered: ${status} by ${decidedBy}`;
  return new HomeostatError("APPROVAL_CONFLICT", text, { id, status, decidedBy }, { cause });
}
