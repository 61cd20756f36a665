/** What must hold of people's words: nothing is done to the world without an intent and a needed yes, and no word is lost. */
import { canonicalJson } from "../../packages/server/src/base/canonical-json.ts";
import type { JsonValue } from "../../packages/server/src/base/canonical-json.ts";
import type { EventBody } from "../../packages/server/src/runs/journal/event.ts";
import type { Acknowledged, Evidence, Invariant } from "./evidence.ts";

export const consentInvariants: readonly Invariant[] = [
  { name: "nothing is begun that policy denied", find: denied },
  { name: "what policy asked about has a yes before its intent", find: unasked },
  { name: "nothing is begun while a run is undone", find: begunWhileUndone },
  { name: "an acknowledged word is on record", find: unheard },
  { name: "of a yes and a no to one question one is acknowledged", find: contradictions },
  { name: "nothing is paid without an intent", find: unintended },
  { name: "what is paid is what the intent says", find: otherwisePaid },
];

type Intended = Extract<EventBody, { readonly kind: "action.intended" }>;

function intentsOf({ journals }: Evidence): readonly Intended[] {
  return [...journals.values()].flatMap(({ events }) =>
    events.filter((event) => event.kind === "action.intended"),
  );
}

function denied(evidence: Evidence): readonly string[] {
  return intentsOf(evidence)
    .filter(({ intent }) => intent.decision.effect === "deny")
    .map(({ intent }) => intent.key);
}

/** The yes is to its own question, is not taken back by a no, and the question's row says the same. */
function unasked({ journals, approvals }: Evidence): readonly string[] {
  return [...journals.values()].flatMap(({ events }) => unaskedInJournal(events, approvals));
}

function unaskedInJournal(
  events: readonly EventBody[],
  statuses: ReadonlyMap<string, string>,
): readonly string[] {
  const problems: string[] = [];
  const approved = new Set<string>();
  const refused = new Set<string>();
  for (const event of events) {
    if (event.kind === "approval.decided")
      (event.answer === "approve" ? approved : refused).add(event.approvalId);
    if (event.kind !== "action.intended" || event.intent.decision.effect !== "ask") continue;
    const { key, approvalId } = event.intent;
    if (approvalId === null) problems.push(`${key} was begun, and nobody was asked`);
    else if (!approved.has(approvalId) || refused.has(approvalId))
      problems.push(`${key} was begun without a yes to ${approvalId} before it`);
    else if (statuses.get(approvalId) !== "approved")
      problems.push(`${key} was begun, but ${approvalId} is ${String(statuses.get(approvalId))}`);
  }
  return problems;
}

/** The undoing itself is not: its steps are `STEP/compensate`, or lie below. */
function begunWhileUndone({ journals }: Evidence): readonly string[] {
  return [...journals.values()].flatMap(({ events }) => {
    const from = events.findIndex(({ kind }) => kind === "run.unwinding");
    return (from === -1 ? [] : events.slice(from))
      .filter((event) => event.kind === "action.intended")
      .filter(({ step }) => !step.split("/").includes("compensate"))
      .map(({ intent }) => intent.key);
  });
}

/** Taken with a success means: it is on record, or the run had ended before it came. */
function unheard({ acknowledged = [], journals, runs }: Evidence): readonly string[] {
  const states = new Map(runs.map((run) => [String(run["id"]), String(run["state"])]));
  return acknowledged
    .filter((each) => !isHeard(each, journals.get(each.runId)?.events ?? [], states.get(each.runId)))
    .map(({ word, runId }) => `${word} of ${runId}`);
}

function isHeard(
  { word, approvalId }: Acknowledged,
  events: readonly EventBody[],
  state: string | undefined,
): boolean {
  const mayBeLate = word === "cancel" ? state === "COMPLETED" || state === "FAILED" : state === "CANCELLED";
  return (
    mayBeLate ||
    events.some((event) =>
      word === "cancel"
        ? event.kind === "run.cancelled" || (event.kind === "run.unwinding" && event.outcome === "cancelled")
        : event.kind === "approval.decided" && event.approvalId === approvalId && event.answer === word,
    )
  );
}

function contradictions({ acknowledged = [] }: Evidence): readonly string[] {
  const answers = new Map<string, string>();
  const problems: string[] = [];
  for (const { word, approvalId } of acknowledged) {
    if (approvalId === null) continue;
    const other = answers.get(approvalId);
    if (other !== undefined && other !== word) problems.push(`both ${other} and ${word} of ${approvalId}`);
    answers.set(approvalId, word);
  }
  return problems;
}

function unintended(evidence: Evidence): readonly string[] {
  const keys = new Set(intentsOf(evidence).map(({ intent }) => intent.key));
  return [...evidence.bank.charges.keys()].filter((key) => !keys.has(key));
}

function otherwisePaid(evidence: Evidence): readonly string[] {
  const problems: string[] = [];
  for (const { intent } of intentsOf(evidence)) {
    const paid = evidence.bank.bodies.get(intent.key);
    const { body } = intent.args as { readonly body?: JsonValue };
    if (paid !== undefined && paid !== body)
      problems.push(`${intent.key} was charged ${paid}, the intent said ${canonicalJson(body ?? null)}`);
  }
  return problems;
}
