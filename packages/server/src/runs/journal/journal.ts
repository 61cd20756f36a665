/** The journal: append-only events of a run, each chained by digest to the one before, bodies committed with a salt. */
import type { Actor } from "../../base/ledger-entry.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import { commit, sha256 } from "../../base/digest.ts";
import { HomeostatError } from "../../base/error.ts";
import type { Migration, Row, Statement, Store } from "../../store/store.ts";
import { eventVersion, stepOf } from "./event.ts";
import type { EventBody, RunEvent } from "./event.ts";
import { upcast } from "./upcast.ts";

/** Bodies above this many characters go to a blob; DESIGN's 4 KB. */
export const inlineBodyLimit = 4096;

export const journalMigration: Migration = {
  id: "0100-journal",
  statements: ({ bytes: _bytes }) => [
    `CREATE TABLE journal (
      run_id TEXT NOT NULL,
      seq INTEGER NOT NULL,
      v INTEGER NOT NULL,
      kind TEXT NOT NULL,
      step TEXT,
      at_ms BIGINT NOT NULL,
      tenant TEXT NOT NULL,
      actor_kind TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      labels TEXT NOT NULL,
      epoch BIGINT NOT NULL,
      salt TEXT NOT NULL,
      body TEXT,
      blob_sha256 TEXT,
      blob_bytes BIGINT,
      body_digest TEXT NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (run_id, seq)
    )`,
  ],
};

/**
 * For readers of all journals, who remember how far they have come: writers take turns, so numbers become visible in their order. No
 * row is ever deleted, or its number would come back.
 */
export const journalOrderMigration: Migration = {
  id: "0445-journal-order",
  statements: ({ numberRows }) => numberRows("journal"),
};

/** A run's position in its own chain; `digest` of an empty journal is the run id's SHA-256. */
export interface Head {
  readonly seq: number;
  readonly digest: string;
}

export function emptyHead(runId: string): Head {
  return { seq: 0, digest: sha256(runId) };
}

/** A journal row as it is stored; `body` is null when it lies in a blob or was erased. */
export interface JournalRow {
  readonly runId: string;
  readonly seq: number;
  readonly v: number;
  readonly kind: string;
  readonly step: string | null;
  readonly atMs: number;
  readonly tenant: string;
  readonly actor: Actor;
  readonly labels: readonly string[];
  readonly epoch: number;
  readonly salt: string;
  readonly body: string | null;
  readonly blob: { readonly sha256: string; readonly sizeBytes: number } | null;
  readonly bodyDigest: string;
  readonly digest: string;
}

export interface Envelope {
  readonly runId: string;
  readonly tenant: string;
  readonly actor: Actor;
  readonly labels: readonly string[];
  readonly epoch: number;
  readonly atMs: number;
}

/**
 * `digest = SHA-256(canonical JSON of [previous digest, run, seq, v, kind, step, time, tenant, actor, labels, epoch,
 * SHA-256(salt ":" body)])`: every column of the row is covered, the body by a commitment that survives its erasure.
 */
export function chainDigest(
  previous: string,
  row: Omit<JournalRow, "digest" | "body" | "blob" | "salt">,
): string {
  return sha256(
    canonicalJson([
      previous,
      row.runId,
      row.seq,
      row.v,
      row.kind,
      row.step,
      row.atMs,
      row.tenant,
      row.actor.kind,
      row.actor.id,
      [...row.labels],
      row.epoch,
      row.bodyDigest,
    ]),
  );
}

/** The rows for `bodies` after `head`. `salts` gives one fresh salt per body. */
export function buildRows(
  head: Head,
  envelope: Envelope,
  bodies: readonly EventBody[],
  salt: () => string,
): { readonly rows: readonly JournalRow[]; readonly head: Head } {
  const rows: JournalRow[] = [];
  let { seq, digest } = head;
  for (const event of bodies) {
    const { kind, ...rest } = event;
    const body = canonicalJson(rest as unknown as JsonValue);
    const rowSalt = salt();
    seq += 1;
    const open = {
      ...envelope,
      seq,
      v: eventVersion,
      kind,
      step: stepOf(event),
      bodyDigest: commit(rowSalt, body),
    };
    digest = chainDigest(digest, open);
    rows.push({ ...open, salt: rowSalt, body, blob: null, digest });
  }
  return { rows, head: { seq, digest } };
}

export function insertRow(row: JournalRow): Statement {
  return {
    sql: `INSERT INTO journal (run_id, seq, v, kind, step, at_ms, tenant, actor_kind, actor_id, labels, epoch, salt, body,
      blob_sha256, blob_bytes, body_digest, digest) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
    params: [
      row.runId,
      row.seq,
      row.v,
      row.kind,
      row.step,
      row.atMs,
      row.tenant,
      row.actor.kind,
      row.actor.id,
      JSON.stringify(row.labels),
      row.epoch,
      row.salt,
      row.body,
      row.blob?.sha256 ?? null,
      row.blob?.sizeBytes ?? null,
      row.bodyDigest,
      row.digest,
    ],
    expect: { rows: 1, guard: "journal-seq" },
  };
}

export function rowFromStore(row: Row): JournalRow {
  const blobSha = row["blob_sha256"] as string | null;
  return {
    runId: row["run_id"] as string,
    seq: row["seq"] as number,
    v: row["v"] as number,
    kind: row["kind"] as string,
    step: row["step"] as string | null,
    atMs: row["at_ms"] as number,
    tenant: row["tenant"] as string,
    actor: { kind: row["actor_kind"] as Actor["kind"], id: row["actor_id"] as string },
    labels: JSON.parse(row["labels"] as string) as string[],
    epoch: row["epoch"] as number,
    salt: row["salt"] as string,
    body: row["body"] as string | null,
    blob: blobSha === null ? null : { sha256: blobSha, sizeBytes: row["blob_bytes"] as number },
    bodyDigest: row["body_digest"] as string,
    digest: row["digest"] as string,
  };
}

/** Reads the text of a body that lies in a blob; subject is the run id. */
export type ReadBlobText = (runId: string, sha256: string, sizeBytes: number) => Promise<string>;

/** Decodes one row. Throws BLOB_ERASED when its body was deleted on purpose, RUN_VERSION_UNKNOWN for newer schemas. */
export async function decodeRow(row: EventRow, readBlobText: ReadBlobText): Promise<RunEvent> {
  const text = row.body ?? (row.blob && (await readBlobText(row.runId, row.blob.sha256, row.blob.sizeBytes)));
  if (text === null) {
    throw new HomeostatError("BLOB_ERASED", `The body of event ${row.seq} of ${row.runId} was erased`, {
      run: row.runId,
      seq: row.seq,
    });
  }
  return eventFrom(row, text);
}

/** What of a row an event is made from. */
type EventRow = Pick<
  JournalRow,
  "runId" | "seq" | "v" | "kind" | "atMs" | "actor" | "digest" | "body" | "blob"
>;

function eventFrom({ runId, seq, v, kind, atMs, actor, digest }: EventRow, text: string): RunEvent {
  return { runId, seq, v, atMs, actor, digest, body: upcast(v, kind, JSON.parse(text)) };
}

/** Events of a run after `afterSeq`, in order. Only the columns that events are made from are read: of 100,000 rows the rest is much. */
export async function* readJournal(
  store: Pick<Store, "scan">,
  readBlobText: ReadBlobText,
  runId: string,
  afterSeq = 0,
): AsyncGenerator<RunEvent> {
  const sql = `SELECT seq, v, kind, at_ms, actor_kind, actor_id, digest, body, blob_sha256, blob_bytes
    FROM journal WHERE run_id = ? AND seq > ? ORDER BY seq`;
  for await (const row of store.scan(sql, [runId, afterSeq])) {
    const eventRow = eventRowFrom(row, runId);
    const { body } = eventRow;
    // Nothing is waited for where nothing needs to be: most bodies lie in the row.
    yield body === null ? await decodeRow(eventRow, readBlobText) : eventFrom(eventRow, body);
  }
}

function eventRowFrom(row: Row, runId: string): EventRow {
  const blobSha = row["blob_sha256"] as string | null;
  return {
    runId,
    seq: row["seq"] as number,
    v: row["v"] as number,
    kind: row["kind"] as string,
    atMs: row["at_ms"] as number,
    actor: { kind: row["actor_kind"] as Actor["kind"], id: row["actor_id"] as string },
    digest: row["digest"] as string,
    body: row["body"] as string | null,
    blob: blobSha === null ? null : { sha256: blobSha, sizeBytes: row["blob_bytes"] as number },
  };
}
