/**
 * What a run's events mean to its family: the parent's step hears of the end, children of a step given up are cancelled, and
 * children rest as long as their parent does. Pure.
 */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { Statement } from "../../store/store.ts";
import type { Ancestor, EventBody, RunError } from "../journal/event.ts";
import { hasEnded } from "../journal/fold.ts";
import type { RunState } from "../journal/fold.ts";
import { originsSeen } from "../journal/origins-seen.ts";
import { putMessage } from "./inbox.ts";
import type { ChildEnd, InboxMessage } from "./inbox.ts";

/** A workflow that runs itself must end somewhere. */
export const deepestRuns = 8;

/** For the batch that appends `bodies`; the state has them folded already. */
export function familyMessages(
  state: RunState,
  written: {
    readonly bodies: readonly EventBody[];
    readonly childrenBefore: readonly string[];
    readonly nowMs: number;
  },
): readonly Statement[] {
  const { bodies, childrenBefore, nowMs } = written;
  const ended = new Set(bodies.flatMap((body) => (body.kind === "child.ended" ? [body.childId] : [])));
  const givenUp = childrenBefore.filter((id) => !state.openChildren.has(id) && !ended.has(id));
  const reason = `the step of ${state.id} that waits for it was given up`;
  return [
    ...givenUp.flatMap((id) =>
      // The head makes it the same message only for the same end.
      putMessage(id, `parent/${state.id}/${state.headSeq}`, { kind: "cancel", by: "system", reason }, nowMs),
    ),
    ...bodies.flatMap((body) => holdChildren(state, body, nowMs)),
    ...tellParent(state, bodies, nowMs),
  ];
}

/** Theirs hear of it from them. What a person has said to a child itself stands: see `fold-inbox.ts`. */
function holdChildren(state: RunState, { kind }: EventBody, nowMs: number): readonly Statement[] {
  if (kind !== "run.paused" && kind !== "run.resumed") return [];
  const base = { by: "system", heldBy: state.id } as const;
  const message: InboxMessage =
    kind === "run.paused"
      ? { kind: "pause", ...base, reason: `its parent ${state.id} is paused` }
      : { kind: "resume", ...base };
  return [...state.openChildren.keys()].flatMap((id) =>
    putMessage(id, `${message.kind}/${state.id}/${state.headSeq}`, message, nowMs),
  );
}

const endings: ReadonlySet<EventBody["kind"]> = new Set([
  "run.completed",
  "run.failed",
  "run.died",
  "run.cancelled",
]);

function tellParent(state: RunState, bodies: readonly EventBody[], nowMs: number): readonly Statement[] {
  const parent = state.ancestors.at(-1);
  if (parent === undefined || !hasEnded(state) || !bodies.some(({ kind }) => endings.has(kind))) return [];
  // A dead run may be revived and end again, hence the head.
  const key = `child/${state.id}/${state.headSeq}`;
  return putMessage(parent.runId, key, { kind: "child", by: "system", ...endOf(state, parent) }, nowMs);
}

function endOf(state: RunState, { step }: Ancestor): ChildEnd {
  const output: JsonObject = state.outputs ?? {};
  const base = { childId: state.id, step, labels: originsSeen(state) };
  switch (state.phase) {
    case "completed":
      return { ...base, state: "completed", output, error: null };
    case "cancelled":
      return { ...base, state: "cancelled", output: null, error: cancelledError(state, step) };
    case "dead":
      return { ...base, state: "dead", output: null, error: failure(state, step) };
    case "failed":
    case "created":
    case "running":
    case "paused":
    case "retrying":
      return { ...base, state: "failed", output: null, error: failure(state, step) };
  }
}

function failure({ id, workflow, error }: RunState, step: string): RunError {
  const at = error?.step === undefined ? "" : ` at ${error.step}`;
  const message = `${workflow.name} (${id}) failed${at}: ${error?.message ?? "no reason"}`;
  const hint = error?.hint === undefined ? {} : { hint: error.hint };
  return { code: error?.code ?? "ACTION_FAILED", message, ...hint, step };
}

function cancelledError({ id, workflow }: RunState, step: string): RunError {
  return { code: "RUN_CANCELLED", message: `${workflow.name} (${id}) was cancelled`, step };
}
