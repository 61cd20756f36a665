/** Routes of registered workflows: add, list, look, remove; and the addresses that webhooks call. */
import { z } from "zod";
import { formatDuration } from "../../base/duration.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import type { Hook } from "../../workflows/hooks.ts";
import type { RegisteredWorkflow } from "../../workflows/registry.ts";
import type { Trigger } from "../../workflows/workflow.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import { registerWorkflow, startFromHook, unregisterWorkflow } from "./registered-workflows.ts";
import type { RegisteredDeps } from "./registered-workflows.ts";
import { timeText } from "../views/views.ts";

const triggerSchema = z.object({
  kind: z.enum(["cron", "interval", "webhook"]),
  name: z.string(),
  detail: z.string().describe("The cron expression with its time zone, the interval, or the address"),
});

const workflowSchema = z
  .object({
    name: z.string(),
    version: z.number().int(),
    digest: z.string(),
    description: z.string().nullable(),
    addedBy: z.string(),
    addedAt: z.string().describe("ISO 8601, UTC"),
    triggers: z.array(triggerSchema),
  })
  .meta({ id: "RegisteredWorkflow" });

const newHookSchema = z.object({
  name: z.string(),
  path: z.string(),
  auth: z.enum(["signature", "bearer"]),
  secret: z.string().describe("Shown this once"),
});

const nameParams = z.object({ name: z.string().min(1).max(128) });

export function workflowsRoutes(deps: RegisteredDeps): readonly Route[] {
  return [addRoute(deps), listRoute(deps), getRoute(deps), removeRoute(deps), hookRoute(deps)];
}

function addRoute(deps: RegisteredDeps): Route {
  return route({
    method: "POST",
    path: "/v1/workflows",
    operationId: "workflows.add",
    summary: "Register a workflow under its name",
    description: "Another text under the same name is the next version. Its triggers take effect at once.",
    tags: ["workflows"],
    access: "operator",
    body: z.strictObject({ workflow: z.string().min(1).max(262_144).describe("The file's text (YAML)") }),
    response: z.object({ ...workflowSchema.shape, hooks: z.array(newHookSchema) }),
    status: 201,
    handle: async ({ body, principal, setHeader }) => {
      const registration = { tenant: principal.tenant, text: body.workflow, by: principal.id };
      const { workflow, hooks } = await registerWorkflow(deps, registration);
      setHeader("location", `/v1/workflows/${workflow.name}`);
      const made = hooks.map((hook) => ({ ...hook, path: `/v1/hooks/${hook.name}` }));
      return { ...view(workflow), hooks: made };
    },
  });
}

function listRoute({ registry }: RegisteredDeps): Route {
  return route({
    method: "GET",
    path: "/v1/workflows",
    operationId: "workflows.list",
    summary: "Registered workflows, newest versions",
    tags: ["workflows"],
    access: "viewer",
    response: z.object({ data: z.array(workflowSchema) }),
    handle: async ({ principal }) => ({ data: (await registry.list(principal.tenant)).map(view) }),
  });
}

function getRoute({ registry, hooks }: RegisteredDeps): Route {
  return route({
    method: "GET",
    path: "/v1/workflows/{name}",
    operationId: "workflows.get",
    summary: "One registered workflow with its text and versions",
    tags: ["workflows"],
    access: "viewer",
    params: nameParams,
    query: z.object({ version: z.coerce.number().int().min(1).optional() }),
    response: z.object({
      ...workflowSchema.shape,
      workflowText: z.string(),
      versions: z.array(z.object({ version: z.number().int(), digest: z.string(), addedAt: z.string() })),
      hooks: z.array(z.object({ name: z.string(), path: z.string(), auth: z.enum(["signature", "bearer"]) })),
    }),
    handle: async ({ params: { name }, query: { version }, principal: { tenant } }) => {
      const found = await registry.require(tenant, { name, ...(version === undefined ? {} : { version }) });
      const versions = await registry.versions(tenant, name);
      return {
        ...view(found),
        workflowText: found.text,
        versions: versions.map((each) => ({
          version: each.version,
          digest: each.digest,
          addedAt: timeText(each.addedAtMs),
        })),
        hooks: (await hooks.list(tenant, name)).map(viewHook),
      };
    },
  });
}

function removeRoute(deps: RegisteredDeps): Route {
  return route({
    method: "DELETE",
    path: "/v1/workflows/{name}",
    operationId: "workflows.remove",
    summary: "Take a workflow away from new runs, with its triggers",
    tags: ["workflows"],
    access: "operator",
    params: nameParams,
    response: "none",
    handle: async ({ params, principal }) => {
      await unregisterWorkflow(deps, { tenant: principal.tenant, name: params.name, by: principal.id });
    },
  });
}

function hookRoute(deps: RegisteredDeps): Route {
  return route({
    method: "POST",
    path: "/v1/hooks/{name}",
    operationId: "hooks.call",
    summary: "Start a run by webhook",
    description:
      "Signed as Standard Webhooks has it (webhook-id, webhook-timestamp, webhook-signature), or with the webhook's token.",
    tags: ["workflows"],
    // The webhook's own secret is what lets a caller in.
    access: "public",
    params: nameParams,
    body: z.union([z.record(z.string(), z.json()), z.array(z.json())]),
    bodyLimitBytes: 262_144,
    response: z.object({ runId: z.string() }),
    status: 202,
    handle: async ({ params, body, headers, bodyBytes, ownAuthorization }) => {
      const call = { name: params.name, headers, authorization: ownAuthorization };
      const row = await startFromHook(deps, { ...call, body: bodyBytes ?? new Uint8Array(), json: body });
      return { runId: row.id };
    },
  });
}

function viewHook({ name, auth }: Hook) {
  return { name, auth, path: `/v1/hooks/${name}` };
}

function view(registered: RegisteredWorkflow): z.input<typeof workflowSchema> {
  const { name, version, digest, addedBy, addedAtMs, text } = registered;
  const parsed = parseWorkflow(text);
  return {
    name,
    version,
    digest,
    description: parsed.ok ? parsed.workflow.description : null,
    addedBy,
    addedAt: timeText(addedAtMs),
    triggers: parsed.ok ? parsed.workflow.triggers.map(viewTrigger) : [],
  };
}

function viewTrigger(trigger: Trigger): z.input<typeof triggerSchema> {
  const { kind, name } = trigger;
  switch (trigger.kind) {
    case "cron":
      return { kind, name, detail: `${trigger.expression} (${trigger.timezone})` };
    case "interval":
      return { kind, name, detail: `every ${formatDuration(trigger.everyMs)}` };
    case "webhook":
      return { kind, name, detail: `/v1/hooks/${name}` };
  }
}
