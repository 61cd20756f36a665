/** Proves runs: each journal's chain and bodies, its heads against the ledger, and its projection against its fold. */
import { commit } from "../../base/digest.ts";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import { runFromStore } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { erasureKey } from "../../retention/erasure.ts";
import type { Row, Store } from "../../store/store.ts";
import { fold, hasEnded, initialState } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { chainDigest, decodeRow, emptyHead, rowFromStore } from "../journal/journal.ts";
import type { JournalRow } from "../journal/journal.ts";
import type { CarriedBody } from "../control/plan-rerun.ts";
import { outboxKey } from "../session/session.ts";
import { findCarriedProblem } from "./verify-carried.ts";

export interface VerifyFinding {
  readonly what: string;
  readonly where: string;
  readonly detail: string;
}

/** What the ledger says: run id -> seq -> head digest. */
export type LedgerHeads = ReadonlyMap<string, ReadonlyMap<number, string>>;

export interface RunsVerdict {
  readonly runs: number;
  readonly events: number;
  /** Events that wait in the outbox for the publisher. */
  readonly pending: number;
  /** Bodies deleted on purpose; their digests still prove them. */
  readonly erased: number;
  readonly findings: readonly VerifyFinding[];
  /** The folded states, for checks of what runs made. */
  readonly states: readonly RunState[];
}

export interface VerifyRunsDeps {
  readonly store: Pick<Store, "read" | "scan">;
  readonly blobs: Pick<BlobStore, "get">;
  readonly heads: LedgerHeads;
  /** What it says besides about events that need not be there, because the database is an older copy. */
  readonly laterHeads?: LedgerHeads;
  /** Runs that were erased, as the ledger says; of all others a missing body is a finding. */
  readonly erased?: ReadonlySet<string>;
  /** One run, or all when null. */
  readonly runId: string | null;
}

export async function verifyRuns(deps: VerifyRunsDeps): Promise<RunsVerdict> {
  const rows =
    deps.runId === null
      ? await deps.store.read("SELECT * FROM runs ORDER BY id")
      : await deps.store.read("SELECT * FROM runs WHERE id = ?", [deps.runId]);
  const findings: VerifyFinding[] = [];
  const states: RunState[] = [];
  const totals = { events: 0, pending: 0, erased: 0 };
  const known = new Set<string>();
  for (const row of rows) {
    known.add(row["id"] as string);
    const verdict = await verifyStoredRun(row, deps);
    findings.push(...verdict.findings);
    if (verdict.state !== null) states.push(verdict.state);
    totals.events += verdict.events;
    totals.pending += verdict.pending;
    totals.erased += verdict.erased;
  }
  for (const runId of deps.heads.keys()) {
    if (known.has(runId) || (deps.runId !== null && deps.runId !== runId)) continue;
    findings.push({
      what: "run missing",
      where: `state.db, table runs, id ${runId}`,
      detail: "the ledger holds entries of this run, the database has no such run",
    });
  }
  return { runs: rows.length, ...totals, findings, states };
}

interface RunVerdict {
  readonly events: number;
  readonly pending: number;
  readonly erased: number;
  readonly findings: readonly VerifyFinding[];
  readonly state: RunState | null;
}

/** A row that was changed into something unreadable is a finding like any other. */
async function verifyStoredRun(row: Row, deps: VerifyRunsDeps): Promise<RunVerdict> {
  try {
    return await verifyRun(runFromStore(row), deps);
  } catch (error) {
    const where = `state.db, tables runs and journal, run ${String(row["id"])}`;
    const finding = { what: "run unreadable", where, detail: errorMessage(error) };
    return { events: 0, pending: 0, erased: 0, findings: [finding], state: null };
  }
}

/** Undefined, with a finding, when a column no longer holds what it must. */
function readRow(stored: Row, runId: string, findings: VerifyFinding[]): JournalRow | undefined {
  try {
    return rowFromStore(stored);
  } catch (error) {
    const where = `state.db, table journal, run ${runId}, seq ${String(stored["seq"])}`;
    findings.push({ what: "event unreadable", where, detail: errorMessage(error) });
    return undefined;
  }
}

async function verifyRun(run: RunRow, deps: VerifyRunsDeps): Promise<RunVerdict> {
  const findings: VerifyFinding[] = [];
  const heads = new Map(deps.heads.get(run.id) ?? []);
  const waiting = await outboxSeqs(deps.store, run.id);
  let head = emptyHead(run.id);
  let state: RunState | null = initialState(run.id, head.digest);
  let pending = 0;
  let erased = 0;
  const sql = "SELECT * FROM journal WHERE run_id = ? ORDER BY seq";
  for await (const stored of deps.store.scan(sql, [run.id])) {
    const row = readRow(stored, run.id, findings);
    // Nothing behind an unreadable event can be chained to it.
    if (row === undefined) return { events: head.seq, pending, erased, findings, state: null };
    const where = placeOf(row);
    if (row.seq !== head.seq + 1) {
      findings.push({
        what: "event missing",
        where,
        detail: `after event ${head.seq} comes event ${row.seq}`,
      });
    }
    if (chainDigest(head.digest, row) !== row.digest) {
      findings.push({
        what: "event changed",
        where,
        detail: "its digest does not follow from its columns and the event before",
      });
    }
    const body = await checkBody(row, deps.blobs);
    if (body.kind === "bad") findings.push({ what: "event body changed", where, detail: body.detail });
    if (body.kind === "erased") erased += 1;
    state = await foldSafely(state, row, body, findings);
    findings.push(...(await carriedFindings(row, body, deps)));
    const proven = heads.get(row.seq) ?? laterProof(row, deps.laterHeads);
    if (proven === undefined) {
      if (waiting.has(row.seq)) pending += 1;
      else
        findings.push({
          what: "event not in the ledger",
          where,
          detail: "neither the ledger nor its outbox knows the event",
        });
    } else if (proven !== row.digest) {
      findings.push({
        what: "event differs from the ledger",
        where,
        detail: `the ledger proves digest ${proven}, the row has ${row.digest}`,
      });
    }
    heads.delete(row.seq);
    head = { seq: row.seq, digest: row.digest };
  }
  for (const seq of heads.keys()) {
    const where = `state.db, table journal, run ${run.id}, seq ${seq}`;
    findings.push({
      what: "event missing",
      where,
      detail: "the ledger proves an event that the journal does not hold",
    });
  }
  if (state !== null) findings.push(...projectionFindings(run, state));
  if (erased > 0 && !(await isErasureKnown(run.id, deps))) {
    findings.push({
      what: "event bodies missing",
      where: `state.db, table journal, run ${run.id}`,
      detail: `${erased} bodies are gone, and neither the ledger nor its outbox says that the run was erased`,
    });
  }
  return { events: head.seq, pending, erased, findings, state };
}

async function isErasureKnown(runId: string, { erased, store }: VerifyRunsDeps): Promise<boolean> {
  if (erased?.has(runId) === true) return true;
  const rows = await store.read("SELECT key FROM ledger_outbox WHERE key = ?", [erasureKey(runId)]);
  return rows.length > 0;
}

/** A later proof counts only for the very same event: after a restore the run may have gone another way. */
function laterProof(row: JournalRow, laterHeads: LedgerHeads | undefined): string | undefined {
  return laterHeads?.get(row.runId)?.get(row.seq) === row.digest ? row.digest : undefined;
}

async function carriedFindings(
  row: JournalRow,
  body: Body,
  deps: VerifyRunsDeps,
): Promise<readonly VerifyFinding[]> {
  if (row.kind !== "step.carried" || body.kind !== "good") return [];
  const provenDigest = (runId: string, seq: number): string | undefined =>
    deps.heads.get(runId)?.get(seq) ?? deps.laterHeads?.get(runId)?.get(seq);
  // The row's kind says which body it has.
  const carried = JSON.parse(body.text) as CarriedBody;
  const detail = await findCarriedProblem(carried, { ...deps, provenDigest });
  return detail === undefined ? [] : [{ what: "carried step without proof", where: placeOf(row), detail }];
}

function placeOf(row: JournalRow): string {
  return `state.db, table journal, run ${row.runId}, seq ${row.seq} (${row.kind})`;
}

async function outboxSeqs(store: Pick<Store, "read">, runId: string): Promise<ReadonlySet<number>> {
  const prefix = outboxKey(runId, 0).slice(0, -1);
  const rows = await store.read("SELECT key FROM ledger_outbox WHERE key >= ? AND key < ?", [
    prefix,
    `${prefix}:`,
  ]);
  return new Set(rows.map((row) => Number((row["key"] as string).slice(prefix.length))));
}

type Body =
  | { readonly kind: "good"; readonly text: string }
  | { readonly kind: "erased" }
  | { readonly kind: "bad"; readonly detail: string };

async function checkBody(row: JournalRow, blobs: Pick<BlobStore, "get">): Promise<Body> {
  const read = await readBody(row, blobs);
  if (read.kind !== "good") return read;
  return commit(row.salt, read.text) === row.bodyDigest
    ? read
    : { kind: "bad", detail: "the body does not match its salted commitment" };
}

async function readBody(row: JournalRow, blobs: Pick<BlobStore, "get">): Promise<Body> {
  if (row.body !== null) return { kind: "good", text: row.body };
  if (row.blob === null) return { kind: "erased" };
  try {
    const bytes = await blobs.get({ subject: row.runId, ...row.blob });
    return { kind: "good", text: bytes.toString() };
  } catch (error) {
    if (isHomeostatError(error, "BLOB_ERASED")) return { kind: "erased" };
    return { kind: "bad", detail: errorMessage(error) };
  }
}

/** Null once an event cannot be read: a fold with holes proves nothing. */
async function foldSafely(
  state: RunState | null,
  row: JournalRow,
  body: Body,
  findings: VerifyFinding[],
): Promise<RunState | null> {
  if (state === null || body.kind !== "good") return null;
  try {
    return fold(state, await decodeRow({ ...row, body: body.text }, () => Promise.resolve("")));
  } catch (error) {
    findings.push({ what: "event unreadable", where: placeOf(row), detail: errorMessage(error) });
    return null;
  }
}

const endedStates = {
  completed: "COMPLETED",
  failed: "FAILED",
  dead: "DEAD",
  cancelled: "CANCELLED",
} as const;

/** The `runs` row must say what its journal says. */
function projectionFindings(run: RunRow, state: RunState): readonly VerifyFinding[] {
  const phase = state.phase as keyof typeof endedStates;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["head_seq", run.headSeq, state.headSeq],
    ["head_digest", run.headDigest, state.headDigest],
    ["workflow_digest", run.workflowDigest, state.workflow.digest],
    ["requester", run.requester, state.requester],
    ["ended_at_ms", run.endedAtMs, state.endedAtMs],
    ...(hasEnded(state) ? [["state", run.state, endedStates[phase]] as const] : []),
  ];
  return pairs
    .filter(([, row, journal]) => row !== journal)
    .map(([column, row, journal]) => ({
      what: "run row changed",
      where: `state.db, table runs, id ${run.id}, column ${column}`,
      detail: `the row says ${String(row)}, the journal says ${String(journal)}`,
    }));
}
