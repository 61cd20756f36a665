/** The gate: every action from whatever door passes this one stack, in this order. Read it top to bottom. */
import { digestJson } from "../base/digest.ts";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { CircuitBreaker } from "../guards/circuit-breaker.ts";
import { judge } from "../guards/pipeline.ts";
import type { Finding, Guard, GuardResult } from "../guards/pipeline.ts";
import type { ActionRequest, Decision, Obligations, OriginLabel } from "../policy/rules/decision.ts";
import type { Asked } from "../policy/rules/recorded-action.ts";
import type { Limits } from "../limits/limits.ts";
import type { IsolationLevel } from "../sandbox/sandbox.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { weighApproval } from "./consent.ts";
import type { FindStanding } from "./consent.ts";
import { requireFurther } from "./further-resource.ts";
import type { LetThrough } from "./further-resource.ts";
import type { Draft, GateInput, ResolvedAction } from "./gate-input.ts";
import { judgeAction } from "./judge-action.ts";
import type { Permit, PermitOffice } from "./permit.ts";
import { repeatTransform } from "./transform-arguments.ts";

export interface Admitted {
  readonly resolved: ResolvedAction;
  readonly argsDigest: string;
  readonly decision: Decision;
  readonly asked: Asked | null;
  /** What policy was asked, for what the action comes to on its way; see `requireFurther`. */
  readonly request?: Omit<ActionRequest, "resource">;
  readonly timeoutMs: number;
  readonly minimumIsolation: IsolationLevel;
  /** Places it takes among the actions that may be under way at once; `settled` gives them back. */
  readonly places: readonly string[];
  /** The remembered yes that let it through, if one did. */
  readonly standing: string | null;
}

export type GateOutcome =
  | ({ readonly kind: "allow"; readonly permit: Permit } & Admitted)
  | ({ readonly kind: "ask"; readonly reason: string } & Admitted)
  | { readonly kind: "throttle"; readonly retryAtMs: number; readonly reason: string }
  | {
      readonly kind: "deny";
      readonly finding: Finding;
      readonly resource: string;
      readonly decision: Decision | null;
      /** What was judged, when it came as far as policy. */
      readonly judged: { readonly args: JsonObject; readonly asked: Asked } | null;
    };

export interface Gate {
  /** Throws STORE_UNAVAILABLE, which says nothing about the action. */
  admit(input: GateInput): Promise<GateOutcome>;
  /** Judges what an action that was let through is led on to, with the policy in force now. Throws ACTION_DENIED. */
  requireFurther(admitted: LetThrough, resource: string): void;
  /** The way back: output check, redaction, labels. Throws OUTPUT_INVALID. */
  receive(output: JsonValue, labels: readonly OriginLabel[], demanded: Demanded): Received;
  /** The same for what an action says when it fails, such as a program's error output. */
  cleanText(text: string, demanded: Demanded): string;
  /** Tells the breaker whether the target answered; every admitted action must be settled. */
  settled(admitted: Admitted, tool: string, outcome: "succeeded" | "failed" | "released"): void;
}

/** What policy demanded of the action that answers. */
export type Demanded = Pick<Obligations, "redact">;

export interface Received {
  readonly output: JsonValue;
  readonly labels: readonly OriginLabel[];
}

export interface GateDeps {
  readonly clock: Clock;
  /** Decides with the policy that is active now. */
  readonly decide: (request: ActionRequest) => Decision;
  readonly limits: Limits;
  readonly breaker: CircuitBreaker;
  readonly permits: PermitOffice;
  /** Binds handles of secrets to versions. Throws SECRET_DENIED, SECRET_NOT_FOUND and SECRET_EXPOSED, which deny. */
  readonly pinSecrets: Secrets["pin"];
  readonly findStanding: FindStanding;
  /** The weakest isolation when policy names none. */
  readonly defaultIsolation: IsolationLevel;
  /** Masks secrets in a tool's output before it is recorded, and personal data where policy demands it. */
  readonly redact: (value: JsonValue, isPersonalToo: boolean) => JsonValue;
  /** Observes every verdict, for metrics; must not throw. */
  readonly observe: (tool: string, verdict: GateOutcome["kind"] | "transform") => void;
  readonly maxOutputBytes: number;
}

export function createGate(deps: GateDeps): Gate {
  const looks: readonly Guard<Draft>[] = [
    { name: "schema", judge: checkSchema },
    { name: "resolve", judge: (draft) => resolveResource(draft, deps.pinSecrets) },
    { name: "origins", judge: traceOrigins },
  ];
  // The stack. Each guard is below, in the same order.
  const stack: readonly Guard<Draft>[] = [
    ...looks,
    { name: "policy", judge: (draft) => judgeAction(draft, { ...deps, prepare: again(looks) }) },
    { name: "approval", judge: (draft) => weighApproval(draft, deps.findStanding) },
    { name: "breaker", judge: (draft) => checkBreaker(draft, deps.breaker) },
    { name: "limits", judge: (draft) => enterLimits(draft, deps.limits) },
  ];
  return {
    async admit(input) {
      const { verdict, draft, findings } = await judge(stack, { input });
      const outcome = conclude(verdict, draft, findings, deps);
      if (outcome.kind !== "allow") giveBack(draft, deps);
      const isTransformed = outcome.kind === "allow" && outcome.decision.transformed !== undefined;
      deps.observe(input.toolName, isTransformed ? "transform" : outcome.kind);
      return outcome;
    },
    requireFurther: (admitted, resource) => requireFurther(admitted, resource, deps.decide),
    receive(output, labels, { redact = false }) {
      const text = JSON.stringify(output);
      if (text.length > deps.maxOutputBytes) {
        throw new HomeostatError(
          "OUTPUT_INVALID",
          `The tool answered ${text.length} characters; the limit is ${deps.maxOutputBytes}`,
          { length: text.length },
        );
      }
      return { output: deps.redact(output, redact), labels };
    },
    // A text stays a text: only parts of it change.
    cleanText: (text, { redact = false }) => deps.redact(text, redact) as string,
    settled(admitted, tool, outcome) {
      deps.breaker[outcome](breakerTarget(tool, admitted.resolved.resource));
      deps.limits.leave(admitted.places);
    },
  };
}

function checkSchema({ input, args: given }: Draft): { readonly draft: Partial<Draft> } {
  if (input.tool === undefined) {
    throw new HomeostatError("ACTION_UNKNOWN", `There is no tool named ${input.toolName}`, {
      tool: input.toolName,
    });
  }
  const begun = input.begun && repeatTransform(input.args, input.begun);
  const transformed = begun && input.begun;
  const args = given ?? begun ?? input.args;
  return {
    draft: { args, parsed: input.tool.parse(args), ...(transformed === undefined ? {} : { transformed }) },
  };
}

async function resolveResource(
  { input, parsed }: Draft,
  pinSecrets: GateDeps["pinSecrets"],
): Promise<{ readonly draft: Partial<Draft> }> {
  const found = await input.tool!.resolve(parsed);
  const resources = [found.resource, ...(found.otherResources ?? [])];
  const { tenant, toolName: action } = input;
  const pinned = { tenant, action, resources, args: found.args };
  const args = input.tool!.passesSecretsOn === true ? found.args : await pinSecrets(pinned);
  const resolved = { ...found, args };
  const argsDigest = actionDigest(input.toolName, resolved);
  return { draft: { resolved, argsDigest } };
}

/** What an approval and a permit are bound to: tool, resolved resource and every resolved argument. */
export function actionDigest(tool: string, resolved: ResolvedAction): string {
  const resources = [resolved.resource, ...(resolved.otherResources ?? [])];
  return digestJson({ tool, resources, args: resolved.args });
}

/** Where the arguments came from, before policy is asked: a trace that fails denies, as every guard. */
async function traceOrigins({ input, args }: Draft): Promise<{ readonly draft: Partial<Draft> }> {
  return { draft: { traced: (await input.trace?.(args!)) ?? {} } };
}

/** Changed arguments pass the same looks as those that came. Throws what the guard throws, which denies. */
function again(looks: readonly Guard<Draft>[]) {
  return async (draft: Draft, args: JsonObject): Promise<Draft> => {
    let next: Draft = { ...draft, args };
    for (const guard of looks) next = { ...next, ...(await guard.judge(next)).draft };
    return next;
  };
}

/** What asks a person first draws on no limit yet: it would be counted again when the answer is there. */
async function enterLimits(
  { input, resolved, decision, consent, isHeld }: Draft,
  limits: Limits,
): Promise<GuardResult<Draft>> {
  if (isHeld === true || (decision?.effect === "ask" && consent === undefined)) return {};
  const { tenant, user = "", agent, toolName: action } = input;
  const rate = decision?.obligations.rate;
  const own =
    rate === undefined
      ? []
      : [{ key: `policy/${tenant}/${agent}/${action}/${rate.count}/${rate.perMs}`, limit: rate }];
  const answer = await limits.enter({ tenant, user, agent, action, resource: resolved!.resource }, own);
  if (answer.kind === "entered") return { draft: { places: answer.places } };
  const { reason, retryAtMs } = answer;
  return { finding: { verdict: "throttle", code: "ACTION_THROTTLED", reason, retryAtMs } };
}

function checkBreaker(
  { input, resolved }: Draft,
  breaker: CircuitBreaker,
): ReturnType<Guard<Draft>["judge"]> {
  const target = breakerTarget(input.toolName, resolved!.resource);
  const retryAtMs = breaker.blockedUntilMs(target);
  if (retryAtMs === undefined) return { draft: { hasPassedBreaker: true } };
  const reason = `${target} failed several times in a row; calls are held back`;
  return {
    draft: { isHeld: true },
    finding: { verdict: "throttle", code: "CIRCUIT_OPEN", reason, retryAtMs },
  };
}

/**
 * An action that does not go on must not keep the breaker's only probe, and one that never had it must not give away another's.
 * Limits are last, and are entered only by what goes on.
 */
function giveBack({ input, resolved, hasPassedBreaker }: Draft, { breaker }: GateDeps): void {
  if (hasPassedBreaker === true) breaker.released(breakerTarget(input.toolName, resolved!.resource));
}

/** Hosts fail on their own; everything else by tool. */
function breakerTarget(tool: string, resource: string): string {
  const host = /^https?:\/\/[^/]+/.exec(resource)?.[0];
  return host ?? tool;
}

/** Exported for its test: what a stack that ended without a decision leads to can be seen nowhere else. */
export function conclude(
  verdict: Finding["verdict"],
  draft: Draft,
  findings: readonly Finding[],
  deps: Pick<GateDeps, "clock" | "permits" | "defaultIsolation">,
): GateOutcome {
  const { input, resolved, argsDigest, decision, consent, asked } = draft;
  const strictestFinding = findings.findLast((finding) => finding.verdict === verdict);
  if (verdict === "deny" || resolved === undefined || decision === undefined || argsDigest === undefined) {
    return {
      kind: "deny",
      finding: strictestFinding ?? missing,
      resource: resolved?.resource ?? "",
      decision: decision ?? null,
      judged: resolved === undefined || asked === undefined ? null : { args: resolved.args, asked },
    };
  }
  const admitted: Admitted = {
    resolved,
    argsDigest,
    decision,
    asked: asked ?? null,
    ...(draft.request === undefined ? {} : { request: draft.request }),
    timeoutMs: timeoutOf(input, decision),
    minimumIsolation: decision.obligations.sandbox ?? deps.defaultIsolation,
    places: draft.places ?? [],
    standing: consent?.kind === "standing" ? consent.id : null,
  };
  if (decision.effect === "ask" && consent === undefined)
    return { kind: "ask", reason: decision.reason, ...admitted };
  const throttle = findings.findLast((finding) => finding.verdict === "throttle");
  if (throttle !== undefined) {
    return { kind: "throttle", retryAtMs: throttle.retryAtMs ?? deps.clock.now(), reason: throttle.reason };
  }
  const permit = deps.permits.issue({
    runId: input.runId,
    stepPath: input.stepPath,
    attempt: input.attempt,
    tool: input.toolName,
    argsDigest,
    epoch: input.epoch,
  });
  return { kind: "allow", permit, ...admitted };
}

const missing: Finding = {
  guard: "gate",
  verdict: "deny",
  code: "GUARD_FAILED",
  reason: "The stack ended without a decision",
};

/** The shortest of what the step asks, policy allows and the tool bears. */
function timeoutOf(input: GateInput, decision: Decision): number {
  const wanted = input.stepTimeoutMs ?? input.tool!.defaultTimeoutMs;
  return Math.min(wanted, decision.obligations.timeoutMs ?? Infinity, input.tool!.maxTimeoutMs);
}
