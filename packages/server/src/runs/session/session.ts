/** A session: one worker's fenced hold on one run. Every append goes through it, chained, projected and put to the outbox. */
import { toWellFormedJson } from "../../base/canonical-json.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import type { Actor, LedgerEntry } from "../../base/ledger-entry.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { createSalt } from "../../base/id.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import { projectRun } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { fence } from "../../store/lease.ts";
import type { HeldLease } from "../../store/lease.ts";
import { outboxInsert } from "../../store/outbox.ts";
import type { Statement, Store } from "../../store/store.ts";
import type { EventBody, RunEvent } from "../journal/event.ts";
import { stepOf } from "../journal/event.ts";
import { fold } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { familyMessages } from "./family.ts";
import { buildRows, inlineBodyLimit, insertRow } from "../journal/journal.ts";
import type { JournalRow } from "../journal/journal.ts";
import { whyIllegal } from "../journal/legal-event.ts";
import { projectRow } from "../journal/project.ts";
import type { Letting } from "../journal/project.ts";

export interface RunSession {
  readonly runId: string;
  readonly tenant: string;
  /** Folded up to the last append. Read-only for everybody but the session. */
  readonly state: RunState;
  readonly lease: HeldLease;
  /** By step: the wall time for which an act under way has reserved the lease. */
  readonly reserved: Map<string, number>;
  /** True when the run was taken from a process that is provably gone, so its unfinished acts are over. */
  readonly previousOwnerGone: boolean;
  /** Raised by a cancel or pause that arrived while a tool acts. */
  readonly interrupt: AbortSignal;
  /**
   * Appends events durably, with `extra` statements in the same batch, and gives the seq of the last. Callers take turns:
   * branches of one run append side by side, and the order of the journal is the truth. `letting` says that the worker lets
   * go afterwards. Throws LEASE_LOST when another worker took over (nothing was written), STORE_UNAVAILABLE when it could not be written.
   */
  append(bodies: readonly EventBody[], options?: AppendOptions): Promise<number>;
}

export interface AppendOptions {
  /** Called when the batch is with the store, and written together with what is written now. Must not throw. */
  readonly onSent?: () => void;
  /** With a function: made when it is known which seq the last event has. */
  readonly extra?: readonly Statement[] | ((seq: number) => readonly Statement[]);
  readonly letting?: Letting | null;
  readonly actor?: Actor;
}

export interface SessionDeps {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Tells whoever watches the run; must not throw or block. */
  readonly announce: (events: readonly RunEvent[], row: RunRow) => void;
}

export interface SessionStart {
  readonly state: RunState;
  readonly tenant: string;
  readonly stepsTotal: number;
  readonly lease: HeldLease;
  readonly previousOwnerGone: boolean;
  readonly interrupt: AbortSignal;
}

export function createSession(deps: SessionDeps, start: SessionStart): RunSession {
  const { state, lease, tenant } = start;
  let broken: unknown;
  let turn: Promise<unknown> = Promise.resolve();
  return {
    runId: state.id,
    tenant,
    state,
    lease,
    reserved: new Map(),
    previousOwnerGone: start.previousOwnerGone,
    interrupt: start.interrupt,
    append(bodies, options = {}) {
      const mine = turn.then(() => appendNow(bodies, options));
      // Whoever comes next learns of a failure by `broken`.
      turn = mine.catch(() => undefined);
      return mine;
    },
  };

  async function appendNow(bodies: readonly EventBody[], options: AppendOptions): Promise<number> {
    try {
      // The state has moved on in memory; after a failed write it no longer matches the journal.
      if (broken !== undefined) throw broken;
      await write(bodies, options);
      return state.headSeq;
    } catch (error) {
      broken = asLeaseLost(error, state.id);
      throw broken;
    }
  }

  async function write(given: readonly EventBody[], options: AppendOptions): Promise<void> {
    const bodies = given.map(keepable);
    const nowMs = deps.clock.now();
    const previousSeq = state.headSeq;
    const actor = options.actor ?? { kind: "agent", id: `workflow:${state.workflow.name}` };
    const envelope = {
      runId: state.id,
      tenant,
      actor,
      labels: state.labels,
      epoch: lease.epoch,
      atMs: nowMs,
    };
    const built = buildRows({ seq: previousSeq, digest: state.headDigest }, envelope, bodies, createSalt);
    const rows = await Promise.all(built.rows.map((row) => placeBody(row, deps.blobs)));
    const events = bodies.map((body, index) => eventOf(built.rows[index]!, body));
    const childrenBefore = [...state.openChildren.keys()];
    for (const event of events) {
      requireLegal(state, event.body);
      fold(state, event);
    }
    const row = projectRow(state, {
      tenant,
      stepsTotal: start.stepsTotal,
      letting: options.letting ?? null,
      nowMs,
      leaseUntilMs: nowMs + lease.ttlMs,
    });
    const extra = typeof options.extra === "function" ? options.extra(state.headSeq) : options.extra;
    const statements = [
      fence(lease),
      ...rows.map(insertRow),
      projectRun(row, previousSeq),
      ...rows.map((each) => outboxInsert(outboxKey(each.runId, each.seq), ledgerEntryOf(each))),
      ...familyMessages(state, { bodies, childrenBefore, nowMs }),
      ...(extra ?? []),
    ];
    const written = deps.store.write(statements);
    options.onSent?.();
    await written;
    deps.announce(events, row);
  }
}

/**
 * Sentences quote the beginning of a value, and a cut may fall between the halves of a sign: such an event is written with U+FFFD
 * there, for a run whose last word cannot be written would never end.
 */
function keepable(body: EventBody): EventBody {
  if (isWellFormed(body)) return body;
  // Proof of the casts: events are JSON, and replaced signs change no member's kind.
  return toWellFormedJson(body as unknown as JsonValue) as unknown as EventBody;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member));
}

/** Throws INTERNAL for an event that cannot follow: a fault of ours, which must not be written down for ever. */
function requireLegal(state: RunState, body: EventBody): void {
  const why = whyIllegal(state, body);
  if (why === null) return;
  const step = stepOf(body);
  throw new HomeostatError(
    "INTERNAL",
    `${body.kind}${step === null ? "" : ` of ${step}`} cannot be journalled for ${state.id}: ${why}`,
    { run: state.id, kind: body.kind, step },
  );
}

/** The key under which the publisher knows this event. */
export function outboxKey(runId: string, seq: number): string {
  return `run/${runId}/${seq}`;
}

/** Large bodies go to the run's encrypted blobs; the row keeps the commitment to the whole text. */
export async function placeBody(row: JournalRow, blobs: BlobStore): Promise<JournalRow> {
  if (row.body === null || row.body.length <= inlineBodyLimit) return row;
  const blob = await blobs.put(row.runId, Buffer.from(row.body));
  return { ...row, body: null, blob: { sha256: blob.sha256, sizeBytes: blob.sizeBytes } };
}

/** What the ledger says about a journal event: where it stands in its run, never what it holds. */
export function ledgerEntryOf(row: JournalRow): LedgerEntry {
  return {
    v: 1,
    key: outboxKey(row.runId, row.seq),
    at: new Date(row.atMs).toISOString(),
    type: row.kind,
    tenant: row.tenant,
    actor: row.actor,
    labels: row.labels,
    run: { id: row.runId, seq: row.seq, digest: row.digest },
    salt: createSalt(),
    data: row.step === null ? {} : { step: row.step },
  };
}

export function eventOf(row: JournalRow, body: EventBody): RunEvent {
  if (stepOf(body) !== row.step) throw new Error("row and body belong together");
  return {
    runId: row.runId,
    seq: row.seq,
    v: row.v,
    atMs: row.atMs,
    actor: row.actor,
    digest: row.digest,
    body,
  };
}

const lostGuards: ReadonlySet<unknown> = new Set(["lease", "journal-head", "journal-seq", "inbox-folded"]);

function asLeaseLost(error: unknown, runId: string): unknown {
  if (!isHomeostatError(error, "STORE_CONFLICT") || !lostGuards.has(error.data["guard"])) return error;
  return new HomeostatError(
    "LEASE_LOST",
    `Another worker holds ${runId} now`,
    { run: runId },
    { cause: error },
  );
}
