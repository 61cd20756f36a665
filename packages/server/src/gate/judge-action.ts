/** Asks policy about an action; texts that a rule wants changed are changed first, and the changed action is judged anew. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import type { GuardResult } from "../guards/pipeline.ts";
import { decideAll } from "../policy/rules/decide-all.ts";
import type { ActionRequest, Decision } from "../policy/rules/decision.ts";
import { askedOf } from "../policy/rules/recorded-action.ts";
import type { Asked } from "../policy/rules/recorded-action.ts";
import type { PlannedTransform, TransformRecord } from "../policy/rules/transform-record.ts";
import type { Draft } from "./gate-input.ts";
import { transformArguments, withoutPassages } from "./transform-arguments.ts";

export interface JudgeDeps {
  readonly clock: Pick<Clock, "now">;
  readonly decide: (request: ActionRequest) => Decision;
  /** Schema check, resolution and origins of arguments, as every action passes them. Throws what these throw. */
  readonly prepare: (draft: Draft, args: JsonObject) => Promise<Draft>;
}

/** The guard of policy. */
export async function judgeAction(draft: Draft, deps: JudgeDeps): Promise<GuardResult<Draft>> {
  const { transformed } = draft;
  // The same attempt again after a crash: what was begun is not changed a second time, and rules judge it as it is.
  if (transformed !== undefined) {
    const seen = await seenTo(draft, transformed, draft.input.args);
    const { decision, asked, request } = decideOn(draft, deps, seen);
    return answer({ ...draft, decision: { ...decision, transformed }, asked, request });
  }
  const first = decideOn(draft, deps);
  const passages = draft.traced?.passages;
  const changed =
    passages === undefined || first.planned.length === 0
      ? undefined
      : transformArguments(draft.args!, first.planned, passages);
  const { asked, request } = first;
  if (changed === undefined) return answer({ ...draft, decision: first.decision, asked, request });
  const others = decideOn(draft, deps, "all").decision;
  if (others.effect === "deny") return answer({ ...draft, decision: others, asked, request });
  const next = await deps.prepare({ ...draft, transformed: changed.record }, changed.args);
  const second = decideOn(next, deps, await seenTo(next, changed.record, draft.args!));
  const decision = stricterOf(second, others, changed.record);
  return answer({ ...next, decision, asked: second.asked, request: second.request });
}

interface Judged {
  readonly decision: Decision;
  readonly asked: Asked;
  readonly request: Omit<ActionRequest, "resource">;
  readonly planned: readonly PlannedTransform[];
}

function decideOn(
  { input, resolved, traced }: Draft,
  { decide, clock }: JudgeDeps,
  transformed?: ActionRequest["transformed"],
): Judged {
  const { toolName: action, labels, agent, role, tenant, user } = input;
  const { flow, risks } = traced ?? {};
  const others = resolved!.otherResources ?? [];
  const request = {
    action,
    args: resolved!.args,
    labels,
    agent,
    role,
    tenant,
    ...(user === undefined ? {} : { user }),
    atMs: clock.now(),
    ...(flow === undefined ? {} : { flow }),
    ...(risks === undefined ? {} : { risks }),
    ...(transformed === undefined ? {} : { transformed }),
  };
  const planned: PlannedTransform[] = [];
  // Each resource may match rules of its own: what any of them wants changed is changed.
  const { transforms: _, ...decision } = decideAll(request, [resolved!.resource, ...others], (each) => {
    const decided = decide(each);
    planned.push(...(decided.transforms ?? []));
    return decided;
  });
  return { decision, asked: askedOf(request, others), request, planned };
}

/**
 * Texts in which nothing is left of what was to be changed. What could not be found again, because it was encoded or put
 * together anew, leaves the text as suspicious as it was, and the rule holds.
 */
async function seenTo(
  { input, traced }: Draft,
  record: TransformRecord,
  original: JsonObject,
): Promise<readonly string[]> {
  const bare = withoutPassages(original, record);
  if (bare === undefined || traced === undefined) return [];
  const left = await input.trace!(bare);
  return record.changes
    .filter(({ path, passages }) => {
      const origin = left.flow?.arguments.find((one) => one.path === path);
      return (origin?.instructed ?? 0) < Math.min(...passages.map(({ score }) => score));
    })
    .map(({ path }) => path);
}

/**
 * The stricter of what is said of the changed action and of what all other rules said of the one that came: a rule with
 * `transform` never makes an answer milder.
 */
function stricterOf({ decision }: Judged, others: Decision, record: TransformRecord): Decision {
  const both = { changed: decision, original: others };
  const request = { action: "", args: {}, labels: [], agent: "", role: "", tenant: "" };
  const { transforms: _, ...strict } = decideAll(
    request,
    Object.keys(both),
    ({ resource }) => both[resource as keyof typeof both],
  );
  return {
    ...strict,
    ...(decision.origins === undefined ? {} : { origins: decision.origins }),
    transformed: record,
  };
}

function answer(draft: Draft): GuardResult<Draft> {
  const { effect, reason, transformed } = draft.decision!;
  if (effect === "deny") return { draft, finding: { verdict: "deny", code: "ACTION_DENIED", reason } };
  if (effect === "ask") return { draft, finding: { verdict: "ask", code: "APPROVAL_NEEDED", reason } };
  if (transformed === undefined) return { draft };
  const what = `texts were changed as ${transformed.rules.map((rule) => `\`${rule}\``).join(", ")} wants`;
  return { draft, finding: { verdict: "transform", code: "ACTION_TRANSFORMED", reason: what } };
}
