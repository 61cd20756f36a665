/** What a re-run or fork takes over from another run, and what it will do a second time. Pure. */
import type { JsonObject } from "../../base/canonical-json.ts";
import type { BlobRef } from "../../blobs/blob.ts";
import type { EffectClass } from "../../tools/tool.ts";
import type { EventBody } from "../journal/event.ts";
import type { RunState, Unwinding } from "../journal/fold.ts";
import { isDone } from "../journal/step-record.ts";
import type { StepRecord } from "../journal/step-record.ts";

/** Where an outcome is on record. */
export interface Proof {
  readonly seq: number;
  readonly digest: string;
}

/** A run as it was right after one of its events. */
export interface PointInRun {
  readonly seq: number;
  readonly inputs: JsonObject;
  readonly workspace: BlobRef | null;
  readonly unwinding: Unwinding | null;
  /** In the order in which they began. */
  readonly steps: readonly StepRecord[];
  /** The event that ended each step that is done, or opened one that is not. */
  readonly proofs: ReadonlyMap<string, Proof>;
}

export type CarriedBody = Extract<EventBody, { readonly kind: "step.carried" }>;

/** An action, or a run of another workflow, that the source has begun and the new run will do again under a new key. */
export interface RepeatedEffect {
  readonly step: string;
  readonly tool: string;
  readonly effect: EffectClass;
  readonly resource: string;
  readonly summary: string;
  /** What became of it in the source. */
  readonly outcome: "completed" | "failed" | "unknown";
}

/** Copied when a point is reached: the fold goes on in place. */
export function pointOf(state: RunState, proofs: ReadonlyMap<string, Proof>): PointInRun {
  const { headSeq: seq, inputs, workspace, unwinding } = state;
  return { seq, inputs, workspace, unwinding, steps: [...state.steps.values()], proofs: new Map(proofs) };
}

/** Branches, loops and groups that are gone on with from within; a timer or a question begins anew. */
const enterable: ReadonlySet<string> = new Set(["branch", "for_each", "parallel", "group"]);

/**
 * Steps that were done at the point keep their outcome; steps around one that was not are entered again as they were.
 * What the source has undone since (its compensation) is not carried, and so is done again.
 */
export function planCarried(runId: string, at: PointInRun, final: RunState): readonly CarriedBody[] {
  return at.steps.flatMap((record): readonly CarriedBody[] => {
    const proof = at.proofs.get(record.path);
    if (proof === undefined || isUndone(final, record.path)) return [];
    const as = carriedAs(record);
    if (as === null) return [];
    const { path: step, output, labels, start, laneErrors, error, intent } = record;
    const from = { run: runId, seq: proof.seq, digest: proof.digest };
    return [{ kind: "step.carried", step, as, output, labels, start, laneErrors, error, intent, from }];
  });
}

function carriedAs(record: StepRecord): CarriedBody["as"] | null {
  if (record.isCaught) return "caught";
  if (record.status === "completed" || record.status === "skipped") return record.status;
  const isOpen = record.endedAtMs === null && record.start !== null && enterable.has(record.start.kind);
  return isOpen ? "open" : null;
}

/** The step itself or one around it. */
function isUndone(final: RunState, path: string): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const undoing = final.steps.get(`${path.slice(0, end)}/compensate`);
    if (undoing !== undefined) return true;
  }
  return false;
}

function hasHappened(record: StepRecord): boolean {
  return isDone(record) || record.didHappen;
}

/** In the order in which the source began them. Pure actions are left out: nothing outside knows of them. */
export function planRepeats(carried: readonly CarriedBody[], final: RunState): readonly RepeatedEffect[] {
  const kept = new Set(carried.filter(({ as }) => as !== "open").map(({ step }) => step));
  return [...final.steps.values()].flatMap((record): readonly RepeatedEffect[] => {
    if (kept.has(record.path)) return [];
    const outcome = record.outcomeMissing ? "unknown" : hasHappened(record) ? "completed" : "failed";
    const { path: step, intent, start } = record;
    if (start?.kind === "workflow") {
      const { name } = start.workflow;
      const summary = `run the workflow ${name} again`;
      return [{ step, tool: "workflow", effect: "unsafe", resource: name, summary, outcome }];
    }
    if (intent === null || intent.effect === "pure") return [];
    const { tool, effect, resource, summary } = intent;
    return [{ step, tool, effect, resource, summary, outcome }];
  });
}
