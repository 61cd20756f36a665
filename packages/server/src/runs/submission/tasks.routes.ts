/** Routes that take work in: tasks, workflow checks, the examples to start from. */
import { z } from "zod";
import { HomeostatError } from "../../base/error.ts";
import type { Finding } from "../../base/finding.ts";
import { refuseSecret } from "../../base/refuse-secret.ts";
import { decodeBase64 } from "../../http/large-texts.ts";
import { route } from "../../http/route.ts";
import type { Route, RouteRequest } from "../../http/route.ts";
import { inputTypes } from "../../workflows/workflow.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import { runSummarySchema } from "../views/api-schemas.ts";
import type { Example } from "./examples.ts";
import { findWrongArguments } from "./find-wrong-arguments.ts";
import { findWrongTimes } from "./find-wrong-times.ts";
import { readSubmissionFields, submissionFields } from "./submission-fields.ts";
import { findUnknownTools, submitOnce } from "./submit.ts";
import type { SubmitDeps } from "./submit.ts";
import { viewRun } from "../views/views.ts";
import type { WorkspaceFile } from "../workspace/workspace.ts";

export interface TasksRoutesDeps {
  readonly submit: SubmitDeps;
  readonly listExamples: () => Promise<readonly Example[]>;
  /** Throws NOT_FOUND. */
  readonly loadExample: (
    name: string,
  ) => Promise<{ readonly workflow: string; readonly files: readonly WorkspaceFile[] }>;
  readonly bodyLimitBytes: number;
}

/** zod's own check decodes the whole text, which for a large task is as much memory again. */
const base64Text = z
  .string()
  .refine(
    (text) => text.length % 4 === 0 && /^[0-9a-zA-Z+/]*={0,2}$/.test(text),
    "Invalid base64-encoded string",
  )
  .meta({ format: "base64", contentEncoding: "base64" });

const taskBody = z.strictObject({
  workflow: z.string().min(1).max(262_144).optional().describe("The workflow file's text (YAML)"),
  example: z.string().min(1).max(100).optional().describe("Instead of `workflow`: an example's name"),
  registered: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("Instead of `workflow`: a registered workflow's name; its newest version runs"),
  files: z
    .array(z.strictObject({ path: z.string().min(1).max(1024), contentBase64: base64Text }))
    .max(10_000)
    .optional()
    .describe("What the run's workspace begins with"),
  inputs: z.record(z.string(), z.json()).optional(),
  priority: z.enum(["high", "normal", "low"]).optional(),
  labels: z.array(z.string().min(1).max(100)).max(32).optional(),
  maxAttempts: z.number().int().min(1).max(100).optional().describe("Attempts before it is a dead letter"),
  ...submissionFields,
});

const submittedSchema = z.object({
  ...runSummarySchema.shape,
  deduplicated: z.boolean().describe("True when the key stood for this run already; the status is 200 then"),
});

const findingSchema = z.object({
  severity: z.enum(["error", "warning"]),
  line: z.number().int(),
  column: z.number().int(),
  path: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});

const exampleSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  inputs: z.array(
    z.object({
      name: z.string(),
      type: z.enum(inputTypes),
      description: z.string().nullable(),
      default: z.unknown(),
      enum: z.array(z.unknown()).optional(),
      min: z.number().optional(),
      max: z.number().optional(),
    }),
  ),
  workflowText: z.string(),
});

export function tasksRoutes(deps: TasksRoutesDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/v1/tasks",
      operationId: "tasks.submit",
      summary: "Submit a task",
      description:
        "Checks the workflow, its inputs and files; then the run exists durably and is queued. 200 instead of 201: the deduplication key stood for a run that is there already, and this is it.",
      tags: ["tasks"],
      access: "operator",
      body: taskBody,
      response: submittedSchema,
      status: 201,
      idempotent: true,
      bodyLimitBytes: deps.bodyLimitBytes,
      partsLargeTexts: { list: "files", key: "contentBase64" },
      handle: async ({ body, largeTexts, principal, idempotencyKey, setHeader, setStatus }) => {
        const { holdsSecret } = deps.submit;
        const { key = null } = body.deduplication ?? {};
        refuseSecret(holdsSecret, key, { what: "The deduplication key", path: "body.deduplication.key" });
        refuseSecret(holdsSecret, idempotencyKey ?? null, {
          what: "The Idempotency-Key",
          path: "headers.idempotency-key",
        });
        const source = await sourceOf({ ...body, largeTexts }, deps, principal.tenant);
        const { row, isNew } = await submitOnce(deps.submit, {
          ...source,
          ...readSubmissionFields(body, deps.submit.clock),
          inputs: body.inputs ?? {},
          priority: body.priority ?? "normal",
          labels: body.labels ?? [],
          requester: principal.id,
          tenant: principal.tenant,
          ...(body.maxAttempts === undefined ? {} : { maxAttempts: body.maxAttempts }),
          ...(idempotencyKey === undefined ? {} : { dedupKey: idempotencyKey }),
        });
        setHeader("location", `/v1/runs/${row.id}`);
        if (!isNew) setStatus(200);
        return { ...viewRun(row), deduplicated: !isNew };
      },
    }),
    route({
      method: "POST",
      path: "/v1/workflows/check",
      operationId: "workflows.check",
      summary: "Check a workflow without running it",
      tags: ["tasks"],
      access: "viewer",
      body: z.strictObject({ workflow: z.string().max(1_048_576) }),
      response: z.object({ ok: z.boolean(), findings: z.array(findingSchema) }),
      handle: ({ body }) => checkWorkflow(body.workflow, deps.submit.tools),
    }),
    route({
      method: "GET",
      path: "/v1/examples",
      operationId: "examples.list",
      summary: "Examples to start from",
      tags: ["tasks"],
      access: "viewer",
      response: z.object({ data: z.array(exampleSchema) }),
      handle: async () => ({ data: (await deps.listExamples()).map(viewExample) }),
    }),
  ];
}

async function sourceOf(
  body: z.output<typeof taskBody> & Pick<RouteRequest<unknown, unknown, unknown>, "largeTexts">,
  deps: TasksRoutesDeps,
  tenant: string,
) {
  const files = (body.files ?? []).map(({ path, contentBase64 }) => ({
    path,
    // Decoded when it is asked for, which is once: else all files would be in memory twice.
    get content() {
      const large = body.largeTexts.get(contentBase64);
      return large === undefined ? Buffer.from(contentBase64, "base64") : decodeBase64(large);
    },
  }));
  const { workflow, example, registered } = body;
  const named = [workflow, example, registered].filter((each) => each !== undefined).length;
  if (named === 1 && workflow !== undefined) return { workflow, files };
  if (named === 1 && example !== undefined && files.length === 0) return await deps.loadExample(example);
  if (named === 1 && registered !== undefined) {
    const found = await deps.submit.workflows?.find(tenant, { name: registered });
    if (found !== undefined) return { workflow: found.text, files };
    const message = `There is no registered workflow ${registered}`;
    throw new HomeostatError("WORKFLOW_NOT_FOUND", message, { name: registered });
  }
  throw new HomeostatError(
    "REQUEST_INVALID",
    "A task names either a `workflow` or a `registered` one (both with `files`), or an `example`",
  );
}

/** Every finding of the file, of tools this server does not have and of arguments they do not take. Never throws. */
function checkWorkflow(
  text: string,
  tools: SubmitDeps["tools"],
): { readonly ok: boolean; readonly findings: readonly Finding[] } {
  const parsed = parseWorkflow(text);
  if (!parsed.ok) return { ok: false, findings: parsed.findings };
  const errors = [
    ...findUnknownTools(parsed.workflow, tools),
    ...findWrongArguments(parsed.workflow, text, tools),
    ...findWrongTimes(parsed.workflow),
  ];
  return { ok: errors.length === 0, findings: [...errors, ...parsed.warnings] };
}

function viewExample({ workflow, text }: Example): z.input<typeof exampleSchema> {
  return {
    name: workflow.name,
    description: workflow.description,
    inputs: workflow.inputs.map(({ line: _line, column: _column, enum: choices, ...input }) => ({
      ...input,
      default: input.default ?? null,
      ...(choices === undefined ? {} : { enum: [...choices] }),
    })),
    workflowText: text,
  };
}
