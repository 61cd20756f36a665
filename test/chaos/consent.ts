/** What journals must say: each folds to its run's row, and nothing was done to the world without an intent and a needed yes. */
import { canonicalJson } from "../../packages/server/src/base/canonical-json.ts";
import type { JsonValue } from "../../packages/server/src/base/canonical-json.ts";
import { errorMessage } from "../../packages/server/src/base/error.ts";
import { openFolderBlobsReader } from "../../packages/server/src/blobs/folder.ts";
import { homeAt } from "../../packages/server/src/home/home.ts";
import type { EventBody } from "../../packages/server/src/runs/journal/event.ts";
import { fold, initialState } from "../../packages/server/src/runs/journal/fold.ts";
import type { RunState } from "../../packages/server/src/runs/journal/fold.ts";
import { emptyHead, readJournal } from "../../packages/server/src/runs/journal/journal.ts";
import type { StoreReader } from "../../packages/server/src/store/sqlite-reader.ts";
import type { Row } from "../../packages/server/src/store/store.ts";
import type { FakeBank } from "./fake-bank.ts";

/** A word of a person that the API took with a success. */
export interface Acknowledged {
  readonly runId: string;
  readonly word: "approve" | "reject" | "cancel";
  /** Of an answer. */
  readonly approvalId: string | null;
}

export interface ConsentRequest {
  readonly home: string;
  readonly reader: StoreReader;
  readonly bank: FakeBank;
  readonly acknowledged: readonly Acknowledged[];
}

/** What did not hold; empty is success. */
export async function findUnconsented(request: ConsentRequest): Promise<readonly string[]> {
  const { home, reader, bank, acknowledged } = request;
  const place = homeAt(home);
  const blobs = await openFolderBlobsReader({ folder: place.blobs, keysFolder: place.keys, store: reader });
  const readText = async (runId: string, sha256: string, sizeBytes: number): Promise<string> =>
    (await blobs.get({ subject: runId, sha256, sizeBytes })).toString("utf8");
  const statuses = new Map(
    (await reader.read("SELECT id, status FROM approvals")).map((row) => [row["id"], String(row["status"])]),
  );
  const intents = new Map<string, JsonValue>();
  const violations: string[] = [];
  for (const row of await reader.read("SELECT id, state, head_seq, head_digest FROM runs")) {
    const runId = String(row["id"]);
    const bodies: EventBody[] = [];
    try {
      let state = initialState(runId, emptyHead(runId).digest);
      for await (const event of readJournal(reader, readText, runId)) {
        state = fold(state, event);
        bodies.push(event.body);
      }
      violations.push(...rowProblems(row, state));
    } catch (error) {
      violations.push(`the journal of ${runId} does not fold: ${errorMessage(error)}`);
      continue;
    }
    for (const event of bodies)
      if (event.kind === "action.intended") intents.set(event.intent.key, event.intent.args);
    violations.push(...consentProblems(runId, bodies, statuses));
    const words = acknowledged.filter((each) => each.runId === runId);
    violations.push(...words.flatMap((each) => unheardProblems(each, bodies, String(row["state"]))));
  }
  return [...violations, ...chargeProblems(bank, intents), ...contradictions(acknowledged)];
}

const endedAs: Readonly<Partial<Record<RunState["phase"], string>>> = {
  completed: "COMPLETED",
  failed: "FAILED",
  dead: "DEAD",
  cancelled: "CANCELLED",
};

function rowProblems(row: Row, { id, phase, headSeq, headDigest }: RunState): readonly string[] {
  const folded = `${endedAs[phase] ?? "open"} at ${headSeq} ${headDigest}`;
  const isEnded = Object.values(endedAs).includes(String(row["state"]));
  const stored = `${isEnded ? String(row["state"]) : "open"} at ${String(row["head_seq"])} ${String(row["head_digest"])}`;
  return folded === stored ? [] : [`the journal of ${id} folds to ${folded}, its row says ${stored}`];
}

/** Each intent that policy asked about stands behind a yes to its own question, and none behind the end of the run. */
function consentProblems(
  runId: string,
  events: readonly EventBody[],
  statuses: ReadonlyMap<unknown, string>,
): readonly string[] {
  const problems: string[] = [];
  const approved = new Set<string>();
  const refused = new Set<string>();
  let ended: string | null = null;
  for (const event of events) {
    if (event.kind === "approval.decided")
      (event.answer === "approve" ? approved : refused).add(event.approvalId);
    if (event.kind === "run.cancelled" || event.kind === "run.unwinding") ended = event.kind;
    if (event.kind !== "action.intended") continue;
    const { key, decision, approvalId } = event.intent;
    if (ended !== null) problems.push(`${key} was begun in ${runId} after ${ended}`);
    if (decision.effect === "deny") problems.push(`${key} was begun although policy denied it`);
    if (decision.effect !== "ask") continue;
    if (approvalId === null) problems.push(`${key} was begun although policy asked, and nobody was`);
    else if (!approved.has(approvalId) || refused.has(approvalId))
      problems.push(`${key} was begun without a yes to ${approvalId} before it`);
    else if (statuses.get(approvalId) !== "approved")
      problems.push(`${key} was begun, but ${approvalId} is ${String(statuses.get(approvalId))}`);
  }
  return problems;
}

/** Taken with a success means: it is on record, or the run had ended before it came. */
function unheardProblems(
  { runId, word, approvalId }: Acknowledged,
  events: readonly EventBody[],
  state: string,
): readonly string[] {
  const isHeard = events.some((event) =>
    word === "cancel"
      ? event.kind === "run.cancelled" || (event.kind === "run.unwinding" && event.outcome === "cancelled")
      : event.kind === "approval.decided" && event.approvalId === approvalId && event.answer === word,
  );
  const mayBeLate = word === "cancel" ? state === "COMPLETED" || state === "FAILED" : state === "CANCELLED";
  return isHeard || mayBeLate ? [] : [`${word} of ${runId} was acknowledged, but is not in its journal`];
}

/** Nobody pays without an intent on record, nor anything but what the intent says. */
function chargeProblems(bank: FakeBank, intents: ReadonlyMap<string, JsonValue>): readonly string[] {
  const problems: string[] = [];
  for (const [key, body] of bank.bodies) {
    const args = intents.get(key) as { readonly body?: JsonValue } | undefined;
    if (args === undefined) problems.push(`${key} was charged without an intent in a journal`);
    else if (args.body !== body)
      problems.push(`${key} was charged ${body}, the intent said ${canonicalJson(args.body ?? null)}`);
  }
  return problems;
}

/** Of a yes and a no to one question only one can have been taken. */
function contradictions(acknowledged: readonly Acknowledged[]): readonly string[] {
  const answers = new Map<string, string>();
  const problems: string[] = [];
  for (const { word, approvalId } of acknowledged) {
    if (approvalId === null) continue;
    const other = answers.get(approvalId);
    if (other !== undefined && other !== word)
      problems.push(`both ${other} and ${word} of ${approvalId} were acknowledged`);
    answers.set(approvalId, word);
  }
  return problems;
}
