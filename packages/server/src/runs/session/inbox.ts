/** A run's one door in: a durable inbox for answers, cancel, pause, retry. Unfenced, deduplicated, folded by the lease holder. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import { wakeRun } from "../../queue/run-row.ts";
import type { Migration, Row, Statement, Store } from "../../store/store.ts";
import type { OriginLabel } from "../../policy/rules/decision.ts";
import type { ApprovalAnswer, OutcomeAnswer, RunError } from "../journal/event.ts";

export const inboxMigration: Migration = {
  id: "0130-inbox",
  statements: ({ identity }) => [
    `CREATE TABLE inbox (
      id ${identity},
      run_id TEXT NOT NULL,
      -- What makes a message the same message: an approval can be answered once, a run cancelled once.
      key TEXT NOT NULL,
      v INTEGER NOT NULL,
      at_ms BIGINT NOT NULL,
      body TEXT NOT NULL,
      folded_seq INTEGER,
      UNIQUE (run_id, key)
    )`,
    "CREATE INDEX inbox_open ON inbox (run_id, id) WHERE folded_seq IS NULL",
  ],
};

export type InboxMessage =
  | { readonly kind: "cancel"; readonly by: string; readonly reason: string | null }
  | {
      readonly kind: "pause";
      readonly by: string;
      readonly reason: string | null;
      /** The parent that was paused; absent for a person's word to this run itself. */
      readonly heldBy?: string;
    }
  | { readonly kind: "resume"; readonly by: string; readonly heldBy?: string }
  | { readonly kind: "revive"; readonly by: string }
  | { readonly kind: "steer"; readonly by: string; readonly message: string }
  | {
      readonly kind: "approval";
      readonly approvalId: string;
      readonly step: string;
      readonly answer: ApprovalAnswer;
      readonly by: string;
      readonly reason: string | null;
      /** With `approve`: the arguments to use instead. */
      readonly edit?: JsonObject;
    }
  | {
      readonly kind: "outcome";
      readonly approvalId: string;
      readonly step: string;
      readonly answer: OutcomeAnswer;
      readonly by: string;
      readonly reason: string | null;
      readonly output: JsonValue;
    }
  | { readonly kind: "signal"; readonly name: string; readonly data: JsonValue; readonly by: string }
  | ({ readonly kind: "child"; readonly by: "system" } & ChildEnd);

/** How a child run ended, as its parent's step takes it. */
export interface ChildEnd {
  readonly childId: string;
  readonly step: string;
  readonly state: "completed" | "failed" | "dead" | "cancelled";
  readonly output: JsonValue;
  readonly labels: readonly OriginLabel[];
  readonly error: RunError | null;
}

export interface InboxEntry {
  readonly id: number;
  readonly atMs: number;
  readonly message: InboxMessage;
}

/** Puts a message in and asks for a worker's look, for one batch with whatever the message follows from. */
export function putMessage(
  runId: string,
  key: string,
  message: InboxMessage,
  atMs: number,
): readonly Statement[] {
  return [
    {
      sql: "INSERT INTO inbox (run_id, key, v, at_ms, body) VALUES (?, ?, 1, ?, ?)",
      params: [runId, key, atMs, JSON.stringify(message as unknown as JsonObject)],
      expect: { rows: 1, guard: "inbox-key" },
    },
    wakeRun(runId, atMs),
  ];
}

/** The mailbox of a run overflows by refusing: so many messages of people may wait to be folded. */
export const mostOpenMessages = 1_000;

/**
 * For what people may send without end. Answers, commands and ends of children have one key each and always find room. Throws
 * MAILBOX_FULL; senders at the same moment may each find the last place.
 */
export async function requireRoom(store: Pick<Store, "read">, runId: string): Promise<void> {
  const [row] = await store.read(
    "SELECT COUNT(*) AS waiting FROM inbox WHERE run_id = ? AND folded_seq IS NULL",
    [runId],
  );
  if (Number(row?.["waiting"]) < mostOpenMessages) return;
  const message = `${mostOpenMessages} messages to ${runId} wait to be read; no more are taken`;
  throw new HomeostatError("MAILBOX_FULL", message, { run: runId });
}

/** Messages not yet folded, oldest first. Throws RUN_VERSION_UNKNOWN. */
export async function openMessages(
  store: Pick<Store, "read">,
  runId: string,
): Promise<readonly InboxEntry[]> {
  const rows = await store.read(
    "SELECT id, v, at_ms, body FROM inbox WHERE run_id = ? AND folded_seq IS NULL ORDER BY id",
    [runId],
  );
  return rows.map(entryFromStore);
}

/** Marks a message as folded by the event with this seq; joins the batch that appends the event. */
export function markFolded(id: number, seq: number): Statement {
  return {
    sql: "UPDATE inbox SET folded_seq = ? WHERE id = ? AND folded_seq IS NULL",
    params: [seq, id],
    expect: { rows: 1, guard: "inbox-folded" },
  };
}

/** A table, so that the compiler misses a kind that is left out. */
const messageKinds: Readonly<Record<InboxMessage["kind"], true>> = {
  approval: true,
  cancel: true,
  child: true,
  outcome: true,
  pause: true,
  resume: true,
  revive: true,
  signal: true,
  steer: true,
};

function entryFromStore(row: Row): InboxEntry {
  const message = JSON.parse(row["body"] as string) as InboxMessage;
  if (row["v"] !== 1 || !Object.hasOwn(messageKinds, message.kind)) {
    const text = `The inbox holds a message ${message.kind} of version ${String(row["v"])}, which this program does not know`;
    throw new HomeostatError("RUN_VERSION_UNKNOWN", text, { kind: message.kind });
  }
  return {
    id: row["id"] as number,
    atMs: row["at_ms"] as number,
    message,
  };
}
