/** Registering a workflow: text, webhooks and schedules come and go together; and starting runs of what is registered. */
import type { JsonObject, JsonValue } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { HomeostatError, isHomeostatError } from "../../base/error.ts";
import { renderValue } from "../../expression/template-value.ts";
import type { RunRow } from "../../queue/run-row.ts";
import type { Statement } from "../../store/store.ts";
import type { Hook, HookCall, Hooks, NewHook } from "../../workflows/hooks.ts";
import type { RegisteredWorkflow, WorkflowRegistry } from "../../workflows/registry.ts";
import type {
  CronTrigger,
  IntervalTrigger,
  Trigger,
  WebhookTrigger,
  Workflow,
} from "../../workflows/workflow.ts";
import { requireWorkflow } from "../../workflows/workflow-file.ts";
import { inheritedFromCall } from "../actions/inherited-flow.ts";
import { pinsOf } from "../submission/pins.ts";
import { requireRunnable, submitTask } from "../submission/submit.ts";
import type { Submission, SubmitDeps } from "../submission/submit.ts";

/** What keeps time: makes runs when they are due. */
export interface Timetable {
  /** What must change so that exactly these triggers are there. Throws WORKFLOW_INVALID for a cron that names no time. */
  plan(
    owner: { readonly tenant: string; readonly workflow: string; readonly by: string },
    triggers: readonly TimeTrigger[],
  ): Promise<readonly Statement[]>;
}

export type TimeTrigger = CronTrigger | IntervalTrigger;

export interface RegisteredDeps {
  readonly registry: WorkflowRegistry;
  readonly hooks: Hooks;
  /** Absent: this server keeps no time, and refuses triggers that need it. */
  readonly timetable?: Timetable;
  readonly submit: SubmitDeps;
  readonly clock: Clock;
  /** What a principal may do now; `none` when their key is revoked or over. */
  readonly roleOf: RoleOf;
}

export type RoleOf = (tenant: string, principal: string) => Promise<string>;

export interface Registration {
  readonly tenant: string;
  readonly text: string;
  readonly by: string;
}

export interface Registered {
  readonly workflow: RegisteredWorkflow;
  /** Webhooks made now, each with the secret that is never shown again. */
  readonly hooks: readonly NewHook[];
}

/**
 * Everything that a submission would be refused for is refused here. Throws WORKFLOW_INVALID, WORKFLOW_CONFLICT, HOOK_CONFLICT,
 * REQUEST_INVALID (a secret in the text).
 */
export async function registerWorkflow(
  deps: RegisteredDeps,
  registration: Registration,
): Promise<Registered> {
  const { tenant, text, by } = registration;
  if (deps.submit.holdsSecret(text)) {
    const hint =
      "Use a `secret://` handle instead; the text of a workflow is shown to everybody who may see it.";
    const message = "The workflow holds what looks like a secret (a key, token or password)";
    throw new HomeostatError("REQUEST_INVALID", message, {}, { hint });
  }
  const workflow = requireRunnable(deps.submit, text);
  requireAlone(workflow);
  const { name, digest, triggers } = workflow;
  // A workflow that runs itself is there once it is registered.
  const workflows = {
    find: async (...[owner, query]: Parameters<WorkflowRegistry["find"]>) =>
      query.name === name
        ? { tenant, name, version: 0, digest, text, addedBy: by, addedAtMs: 0 }
        : deps.registry.find(owner, query),
  };
  await pinsOf({ ...deps.submit, workflows }, workflow, { tenant, files: [] });
  const owner = { tenant, workflow: name, by };
  const plan = await deps.hooks.plan(owner, triggers.filter(isWebhook));
  const times = await planTimes(deps, owner, triggers.filter(isTimed));
  const extra = [...plan.statements, ...times];
  const added = await orConflict(name, () =>
    deps.registry.add({ tenant, name, digest, text, addedBy: by }, extra),
  );
  await plan.written();
  return { workflow: added, hooks: plan.created };
}

/** Throws WORKFLOW_NOT_FOUND. */
export async function unregisterWorkflow(
  deps: RegisteredDeps,
  { tenant, name, by }: { readonly tenant: string; readonly name: string; readonly by: string },
): Promise<void> {
  await deps.registry.require(tenant, { name });
  const owner = { tenant, workflow: name, by };
  const plan = await deps.hooks.plan(owner, []);
  const times = await planTimes(deps, owner, []);
  await orConflict(name, () => deps.registry.remove({ tenant, name, by }, [...plan.statements, ...times]));
  await plan.written();
}

/** Webhooks, their secrets and schedules have guards of their own; whichever it is, somebody else was faster. */
async function orConflict<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isHomeostatError(error, "STORE_CONFLICT")) throw error;
    const message = `Somebody changed ${name}, or its webhooks or schedules, at the same moment`;
    throw new HomeostatError("WORKFLOW_CONFLICT", message, { name }, { cause: error });
  }
}

async function planTimes(
  { timetable }: RegisteredDeps,
  owner: Parameters<Timetable["plan"]>[0],
  triggers: readonly TimeTrigger[],
): Promise<readonly Statement[]> {
  if (timetable !== undefined) return await timetable.plan(owner, triggers);
  const [first] = triggers;
  if (first === undefined) return [];
  const { line, column, path } = first.place;
  const detail = `this server keeps no schedules, so the trigger ${first.name} would never fire`;
  const message = `The workflow is not valid: ${detail}`;
  throw new HomeostatError("WORKFLOW_INVALID", message, {}, { details: [{ detail, line, column, path }] });
}

/** One run for each event: the same `webhook-id` gives the same run. Throws HOOK_DENIED, INPUTS_INVALID, EXPRESSION_INVALID. */
export async function startFromHook(
  deps: RegisteredDeps,
  call: HookCall & { readonly json: JsonValue },
): Promise<RunRow> {
  const hook = await deps.hooks.authenticate(call);
  const { tenant } = hook;
  const { addedBy: principal } = await deps.registry.require(tenant, { name: hook.workflow });
  await requireHolder(deps, { tenant, principal, what: `the webhook ${hook.name}` });
  const eventId = call.headers["webhook-id"] ?? call.headers["idempotency-key"];
  const trigger = { name: hook.name, kind: "webhook", id: eventId ?? null };
  const scope = { trigger, body: call.json, headers: plainHeaders(call.headers) };
  return await startFromTrigger(deps, hook, {
    scope,
    dedupKey: eventId === undefined ? null : `hook/${hook.name}/${eventId}`,
    extra: { isFromHook: true },
  });
}

/** Nothing runs on behalf of somebody who may not use the server any more. Throws AUTHORIZATION_DENIED. */
export async function requireHolder(
  { roleOf }: { readonly roleOf: RoleOf },
  { tenant, principal, what }: { readonly tenant: string; readonly principal: string; readonly what: string },
): Promise<void> {
  if ((await roleOf(tenant, principal)) !== "none") return;
  throw new HomeostatError(
    "AUTHORIZATION_DENIED",
    `${principal}, on whose behalf ${what} runs, may not use this server any more`,
    { principal },
    { hint: "Somebody with a key registers the workflow, or changes the schedule, to take it over." },
  );
}

export interface Firing {
  /** What the trigger's inputs may speak of. */
  readonly scope: JsonObject;
  /** The same key starts one run. */
  readonly dedupKey: string | null;
  /** What a schedule says about its run besides. */
  readonly extra?: Partial<Submission>;
}

/**
 * Starts the newest version on behalf of who registered it, whose role and rights count. Throws WORKFLOW_NOT_FOUND,
 * INPUTS_INVALID, EXPRESSION_INVALID.
 */
export async function startFromTrigger(
  deps: Pick<RegisteredDeps, "registry" | "submit">,
  { tenant, workflow: name, name: triggerName }: Pick<Hook, "tenant" | "workflow" | "name">,
  { scope, dedupKey, extra = {} }: Firing,
): Promise<RunRow> {
  const registered = await deps.registry.require(tenant, { name });
  const workflow = requireWorkflow(registered.text);
  const trigger = workflow.triggers.find((each) => each.name === triggerName);
  if (trigger === undefined)
    throw new HomeostatError("WORKFLOW_NOT_FOUND", `${name} has no trigger ${triggerName} any more`, {
      name,
    });
  const inherited = inheritedFromCall(trigger.inputs);
  return await submitTask(deps.submit, {
    ...submissionOf(registered),
    inputs: inputsOf(trigger, scope),
    ...(inherited === undefined ? {} : { inherited }),
    labels: [`trigger:${trigger.kind}:${trigger.name}`],
    ...(dedupKey === null ? {} : { dedupKey }),
    ...extra,
  });
}

function submissionOf({ tenant, text, addedBy }: RegisteredWorkflow): Submission {
  return {
    workflow: text,
    files: [],
    inputs: {},
    priority: "normal",
    labels: [],
    requester: addedBy,
    tenant,
  };
}

function inputsOf(trigger: Trigger, scope: JsonObject): JsonObject {
  try {
    // The file's schema proves that `inputs` is a map.
    return renderValue(trigger.inputs, { ...scope, inputs: {}, steps: {} }) as JsonObject;
  } catch (error) {
    if (!isHomeostatError(error, "EXPRESSION_INVALID")) throw error;
    const message = `The inputs of the trigger ${trigger.name} cannot be worked out: ${error.message}`;
    throw new HomeostatError("INPUTS_INVALID", message, { trigger: trigger.name }, { cause: error });
  }
}

/** What says who the caller is, or signs, is nothing for a run. */
function plainHeaders(headers: HookCall["headers"]): JsonObject {
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && name !== "webhook-signature" && !name.startsWith("x-forwarded"),
  );
  return Object.fromEntries(kept) as JsonObject;
}

/** A registered workflow has no files with it. */
function requireAlone(workflow: Workflow): void {
  const timed = workflow.triggers.length > 0;
  const missing = timed ? workflow.inputs.filter((input) => input.default === undefined) : [];
  for (const trigger of workflow.triggers) {
    const given = keysOf(trigger);
    const open = missing.find(({ name }) => !given.includes(name));
    if (open === undefined) continue;
    const { line, column, path } = trigger.place;
    const message = `The trigger ${trigger.name} gives no \`${open.name}\`, an input without a default`;
    throw new HomeostatError(
      "WORKFLOW_INVALID",
      `The workflow is not valid: ${message}`,
      {},
      { details: [{ detail: message, line, column, path: `${path}.inputs` }] },
    );
  }
}

function keysOf({ inputs }: Trigger): readonly string[] {
  if (inputs.kind === "object") return inputs.entries.map(({ key }) => key);
  return inputs.kind === "literal" ? Object.keys(inputs.value as JsonObject) : [];
}

function isWebhook(trigger: Trigger): trigger is WebhookTrigger {
  return trigger.kind === "webhook";
}

function isTimed(trigger: Trigger): trigger is TimeTrigger {
  return trigger.kind !== "webhook";
}
