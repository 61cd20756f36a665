/** Signals to a run from outside: checked against the workflow when they are sent, kept in its inbox until a step takes them. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import { refuseSecret } from "../../base/refuse-secret.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { toErrorDetail } from "../../base/finding.ts";
import { createId } from "../../base/id.ts";
import { suggestName } from "../../base/nearest.ts";
import { isEnded } from "../../queue/task.ts";
import type { Store } from "../../store/store.ts";
import { signalWaits } from "../../workflows/workflow.ts";
import type { SignalWait } from "../../workflows/workflow.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { checkPayload } from "../../workflows/workflow-inputs.ts";
import { proof, requireRun } from "./control.ts";
import type { Caller, ControlDeps } from "./control.ts";
import { putMessage, requireRoom } from "../session/inbox.ts";
import type { ReadBlobText } from "../journal/journal.ts";
import { isTooMuch } from "../journal/open-signals.ts";
import { readEvents, readState } from "../journal/run-reader.ts";

export interface SignalDeps extends ControlDeps {
  readonly readBlobText: ReadBlobText;
  /** Data is journalled, so it may hold no secret. */
  readonly holdsSecret: (text: string) => boolean;
}

export interface SignalRequest {
  readonly runId: string;
  readonly name: string;
  readonly data: JsonValue;
  readonly caller: Caller;
  /** The same key of the same caller is the same signal. */
  readonly key: string | null;
}

/** UTF-16 units of JSON. What is larger belongs in a file. */
const longestData = 65_536;

/**
 * Throws RUN_NOT_FOUND, RUN_STATE_CONFLICT (the run is over), SIGNAL_UNKNOWN (no step waits for it), AUTHORIZATION_DENIED,
 * SIGNAL_INVALID (data that does not fit, or is too large), REQUEST_INVALID (a secret in it), MAILBOX_FULL.
 */
export async function sendSignal(deps: SignalDeps, request: SignalRequest): Promise<void> {
  const { runId, name, caller } = request;
  const row = await requireRun(deps.store, caller.tenant, runId);
  if (isEnded(row.state)) {
    const message = `Cannot signal ${runId}: it is ${row.state}`;
    throw new HomeostatError("RUN_STATE_CONFLICT", message, { run: runId, state: row.state });
  }
  const wait = await requireWait(deps, request);
  requireRole(wait, caller);
  const data = requireData(wait, request.data, deps);
  await requireRoom(deps.store, runId);
  await requireFewOpen(deps, runId, { name, length: JSON.stringify(data).length });
  const nowMs = deps.clock.now();
  const id = request.key === null ? createId("inb", nowMs) : `${caller.id}/${request.key}`;
  const actor = { kind: "user", id: caller.id } as const;
  try {
    await deps.store.write([
      ...putMessage(runId, `signal/${name}/${id}`, { kind: "signal", name, data, by: caller.id }, nowMs),
      proof({ type: "run.signalled", tenant: row.tenant, actor }, nowMs, { run: runId, signal: name }),
    ]);
  } catch (error) {
    // Sent before under the same key.
    if (request.key === null || !isHomeostatError(error, "STORE_CONFLICT")) throw error;
  }
}

/**
 * What no step takes stays in the state of the run, so it has a bound. Counted exactly only where all that were ever sent may be too
 * many. Throws MAILBOX_FULL.
 */
async function requireFewOpen(deps: SignalDeps, runId: string, sent: Sent): Promise<void> {
  const ever = await countSent(deps.store, { runId, name: sent.name }, "");
  if (!isTooMuch({ count: ever.count + 1, length: ever.length + sent.length })) return;
  const unread = await countSent(deps.store, { runId, name: sent.name }, "AND folded_seq IS NULL");
  const kept = (await readState(deps, runId)).signals.filter(({ name }) => name === sent.name);
  const count = unread.count + kept.length;
  const length = kept.reduce((sum, each) => sum + each.length, unread.length);
  if (!isTooMuch({ count: count + 1, length: length + sent.length })) return;
  const message = `${count} signals ${sent.name} with ${length} characters wait in ${runId} for a step to take them; no more are taken`;
  throw new HomeostatError("MAILBOX_FULL", message, { run: runId, name: sent.name, count, length });
}

interface Sent {
  readonly name: string;
  /** UTF-16 units of its data as JSON. */
  readonly length: number;
}

async function countSent(
  store: Pick<Store, "read">,
  { runId, name }: { readonly runId: string; readonly name: string },
  condition: "" | "AND folded_seq IS NULL",
): Promise<{ readonly count: number; readonly length: number }> {
  const prefix = `signal/${name}/`;
  const [row] = await store.read(
    `SELECT COUNT(*) AS sent, COALESCE(SUM(LENGTH(body)), 0) AS size FROM inbox
      WHERE run_id = ? AND substr(key, 1, ${prefix.length}) = ? ${condition}`,
    [runId, prefix],
  );
  return { count: Number(row!["sent"]), length: Number(row!["size"]) };
}

async function requireWait(deps: SignalDeps, { runId, name }: SignalRequest): Promise<SignalWait> {
  const [first] = await readEvents(deps, { runId, afterSeq: 0, limit: 1 });
  if (first?.body.kind !== "run.created")
    throw new HomeostatError("RUN_NOT_FOUND", `There is no run ${runId}`);
  const workflow = requireWorkflow(first.body.workflow.text);
  const waits = signalWaits(workflow);
  const wait = waits.get(name);
  if (wait !== undefined) return wait;
  const hint = suggestName(name, waits.keys());
  const message = `No step of ${workflow.name} waits for a signal ${name.slice(0, 80)}`;
  throw new HomeostatError(
    "SIGNAL_UNKNOWN",
    message,
    { run: runId, name },
    hint === undefined ? {} : { hint },
  );
}

function requireRole({ name, by }: SignalWait, { role }: Caller): void {
  if (by === null || role === "admin" || by.includes(role)) return;
  const message = `The signal ${name} is for ${by.join(" or ")}; you are ${role}`;
  throw new HomeostatError("AUTHORIZATION_DENIED", message, { name });
}

/** With what the declaration adds by default. */
function requireData({ name, payload }: SignalWait, data: JsonValue, deps: SignalDeps): JsonValue {
  const text = JSON.stringify(data);
  if (text.length > longestData) {
    const message = `The data of the signal ${name} has ${text.length} characters; at most ${longestData}`;
    throw new HomeostatError("SIGNAL_INVALID", message, { name, length: text.length });
  }
  refuseSecret(deps.holdsSecret, text, { what: `The data of the signal ${name}`, path: "body.data" });
  if (payload === null) return data;
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  // Proven by the line above; `isArray` does not narrow readonly lists.
  const checked = isObject ? checkPayload({ name, payload }, data as JsonObject) : undefined;
  if (checked?.ok === true) return checked.values;
  const findings = checked?.findings ?? [];
  const why = findings[0]?.message ?? "expected an object";
  throw new HomeostatError(
    "SIGNAL_INVALID",
    `The data of the signal ${name} is wrong: ${why}`,
    { name },
    { details: findings.map(toErrorDetail) },
  );
}
