/** What people may do to a run from outside: each is one message in its inbox, with its proof, in one batch. */
import type { Actor } from "../../base/ledger-entry.ts";
import type { JsonObject } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { refuseSecret } from "../../base/refuse-secret.ts";
import type { HoldsSecret } from "../../base/refuse-secret.ts";
import { runFromStore } from "../../queue/run-row.ts";
import type { RunRow } from "../../queue/run-row.ts";
import { isEnded } from "../../queue/task.ts";
import { factInsert } from "../../store/fact.ts";
import type { Fact } from "../../store/fact.ts";
import type { Statement, Store } from "../../store/store.ts";
import { putMessage } from "../session/inbox.ts";
import type { InboxMessage } from "../session/inbox.ts";

export interface ControlDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Reasons are journalled as they are, so they may hold none. */
  readonly holdsSecret: HoldsSecret;
  /** Lets a run that nobody holds hear its messages now; without it a worker does so. */
  readonly foldUnheld?: (runId: string) => Promise<void>;
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

/**
 * Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT when the command makes no sense in the run's state, and REQUEST_INVALID for a secret in
 * the reason.
 */
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
  const coming = await requireSense(deps.store, row, request.command);
  refuseSecretReason(deps.holdsSecret, request.reason);
  const message = messageFor(request.command, request.by, request.reason);
  // One message of a kind per head, and after each that says the opposite: asking twice for the same thing is answered once.
  const after = coming === undefined || coming.kind === request.command ? "" : `/${coming.id}`;
  const key = `${request.command}/${row.headSeq}${after}`;
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
  // What ends a run needs no worker.
  if (message.kind === "cancel") await deps.foldUnheld?.(request.runId);
}

/** Throws REQUEST_INVALID. */
export function refuseSecretReason(holdsSecret: HoldsSecret, reason: string | null): void {
  refuseSecret(holdsSecret, reason, { what: "The reason", path: "body.reason" });
}

/** A pause or resume that was taken and waits to be folded. */
interface ComingRest {
  readonly id: number;
  readonly kind: "pause" | "resume";
}

/** The last of them: what the run will do, whatever its row says now. */
async function comingRest(store: Pick<Store, "read">, runId: string): Promise<ComingRest | undefined> {
  // A message begins with its kind.
  const begins = (kind: ComingRest["kind"]): string =>
    `substr(body, 1, ${kind.length + 10}) = '{"kind":"${kind}"'`;
  const [row] = await store.read(
    `SELECT id, CASE WHEN ${begins("pause")} THEN 'pause' ELSE 'resume' END AS kind FROM inbox
      WHERE run_id = ? AND folded_seq IS NULL AND (${begins("pause")} OR ${begins("resume")}) ORDER BY id DESC LIMIT 1`,
    [runId],
  );
  return row && { id: Number(row["id"]), kind: row["kind"] as ComingRest["kind"] };
}

/** Gives what is coming. Throws RUN_STATE_CONFLICT. */
export async function requireSense(
  store: Pick<Store, "read">,
  row: RunRow,
  command: RunCommand,
): Promise<ComingRest | undefined> {
  const coming = await comingRest(store, row.id);
  const isPaused = coming === undefined ? row.waiting?.kind === "pause" : coming.kind === "pause";
  const isAsked = coming?.kind === command;
  const sense: Readonly<Record<RunCommand, boolean>> = {
    pause: !isEnded(row.state) && (!isPaused || isAsked),
    resume: isPaused || isAsked,
    cancel: !isEnded(row.state),
    retry: row.state === "DEAD",
    discard: row.state === "DEAD",
  };
  if (sense[command]) return coming;
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

export function userActor(id: string): Actor {
  return { kind: "user", id };
}

/** A ledger entry of its own. The reason is personal data: only a salted commitment goes in. */
export function proof(
  fact: Pick<Fact, "type" | "tenant" | "actor">,
  atMs: number,
  data: JsonObject,
  reason: string | null = null,
): Statement {
  return factInsert({ ...fact, atMs, data, reason });
}
