/** `code_exec.run`: runs a program in the sandbox on a copy of the workspace and takes over the files it wrote. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { JsonObject } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import type { LanguageId, SandboxOutcome } from "../sandbox/sandbox.ts";
import { findProgramCommands } from "./code-commands.ts";
import { codeLimitsSchema, limitInForce, toSandboxLimits } from "./code-limits.ts";
import type { CodeLimits } from "./code-limits.ts";
import { collectOutputs } from "./collect-outputs.ts";
import type { CollectedOutputs } from "./collect-outputs.ts";
import type { FileAccess } from "./open-folder.ts";
import { workspaceRoot } from "./paths.ts";
import {
  fileSchema,
  languageSchema,
  loadProgram,
  programSchema,
  resolvedProgramSchema,
  resolveProgram,
  sourceSchema,
} from "./program.ts";
import type { Program, ResolvedProgram } from "./program.ts";
import type { Tool, ToolContext } from "./tool.ts";

export interface CodeToolDeps extends FileAccess {
  /** Existing folder for what programs write until it is taken over; best on the workspaces' disk. */
  readonly temporaryFolder: string;
  /** Whether any sandbox tier of this host runs the language; from the sandbox's own report. */
  readonly canRun: (language: LanguageId) => boolean;
}

export interface CodeArgs extends CodeSettings, Program {
  readonly fallback?: Program | undefined;
}

interface CodeSettings {
  readonly args: readonly string[];
  readonly stdin?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: CodeLimits;
  readonly workspace: boolean;
  readonly allowFailure: boolean;
}

/** Characters of each stream that are kept in the journal; a program with more to say writes a file. */
const keptOutput = 65_536;
/** Characters of stderr in an error, enough for a stack trace. */
const toldOutput = 2_000;

const settings = {
  args: z.array(z.string().max(131_072)).max(256).default([]).describe("Arguments of the program."),
  stdin: z.string().optional().describe("What it reads from its standard input."),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .default({})
    .describe("Environment variables; nothing of the host's environment is handed in."),
  limits: codeLimitsSchema.default({}).describe("What it may use; the defaults suit small jobs."),
  workspace: z
    .boolean()
    .default(true)
    .describe("Run on a copy of the workspace. Files written there are taken over, deletions are not."),
  allowFailure: z.boolean().default(false).describe("Let the step succeed whatever the exit code is."),
};

const args = z.strictObject({
  language: languageSchema,
  source: sourceSchema,
  file: fileSchema,
  ...settings,
  fallback: programSchema
    .optional()
    .describe(
      "The same program in another language, taken where no sandbox of this host runs the first one.",
    ),
});

/** Programs are kept with their digests: what was approved is what runs. */
const resolvedArgs = z.strictObject({
  program: resolvedProgramSchema,
  calls: z.array(z.string()).optional(),
  ...settings,
});
type ResolvedCode = z.infer<typeof resolvedArgs>;

/** What a program is given to work on is data; the program itself is what somebody else may not choose. */
const roles: NonNullable<Tool["argumentRoles"]> = {
  language: "option",
  source: "command",
  file: "path",
  args: "body",
  stdin: "body",
  environment: "body",
  limits: "option",
  workspace: "option",
  allowFailure: "option",
};

export function createCodeTool(deps: CodeToolDeps): Tool<CodeArgs> {
  return {
    name: "code_exec.run",
    description:
      "Run a program in the sandbox, without network, on a copy of the workspace; files it writes are kept.",
    args,
    effect: "idempotent",
    risk: "medium",
    argumentRoles: roles,
    failureLabels: ({ workspace }) => (workspace === true ? ["file"] : []),
    defaultTimeoutMs: 30_000,
    maxTimeoutMs: 600_000,
    async resolve(given, context) {
      const { language, source, file, fallback, ...rest } = given;
      const first = { language, source, file };
      // Chosen here and not after a failed try: policy and people judge the one program that will run.
      const chosen = fallback !== undefined && !deps.canRun(language) ? fallback : first;
      const { program, text } = await resolveProgram(chosen, deps, context.roots);
      const variables = {
        ...rest.environment,
        ...Object.fromEntries(rest.args.map((arg, at) => [at + 1, arg])),
      };
      const { resources, calls, worst } = findProgramCommands(program.language, text, variables);
      return {
        resource: program.language,
        ...(resources.length === 0 ? {} : { otherResources: resources }),
        // Proof of the cast: everything in it was parsed from JSON.
        args: { ...rest, program, ...(calls.length === 0 ? {} : { calls }) } as unknown as JsonObject,
        summary: `run ${describeProgram(program)}${worst === null ? "" : `; it holds ${worst}`}`,
      };
    },
    async execute(resolved, context) {
      const given = resolvedArgs.parse(resolved.args);
      const outputFolder = await mkdtemp(join(deps.temporaryFolder, "code-"));
      try {
        const { program } = given;
        const outcome = await runProgram(given, outputFolder, context, deps);
        requireSuccess(given, outcome, context);
        const collected = await collectOutputs(outcome, outputFolder, context, deps);
        return {
          output: describeOutcome(outcome, program, collected),
          labels: given.workspace ? ["tool", "file"] : ["tool"],
          touchedFiles: collected.written.length > 0,
        };
      } finally {
        await rm(outputFolder, { recursive: true, force: true });
      }
    },
  };
}

async function runProgram(
  given: ResolvedCode,
  outputFolder: string,
  context: ToolContext,
  deps: CodeToolDeps,
): Promise<SandboxOutcome> {
  const source = await loadProgram(given.program, deps, context.roots);
  const workspace = context.roots.find((root) => root.name === workspaceRoot);
  const request = {
    language: given.program.language,
    source,
    args: given.args,
    ...(given.stdin === undefined ? {} : { stdin: given.stdin }),
    ...(given.workspace && workspace !== undefined ? { inputFolder: workspace.path } : {}),
    outputFolder,
    environment: given.environment,
    limits: toSandboxLimits(given.limits, context.timeoutMs),
    signal: context.signal,
  };
  return context.runSandboxed(request, context.minimumIsolation);
}

function requireSuccess(
  given: ResolvedCode,
  outcome: SandboxOutcome,
  context: Pick<ToolContext, "timeoutMs">,
): void {
  if (given.allowFailure || (outcome.exitCode === 0 && outcome.limitHit === undefined)) return;
  const stderr = outcome.stderr.slice(-toldOutput).toWellFormed();
  const lastLine = lastWords(stderr);
  throw new HomeostatError(
    "CODE_FAILED",
    `${describeProgram(given.program)} ${describeEnd(outcome)}${lastLine === "" ? "" : `: ${lastLine}`}`,
    {
      exitCode: outcome.exitCode,
      signal: outcome.signal,
      limitHit: outcome.limitHit ?? null,
      stderr,
      stdout: outcome.stdout.slice(-toldOutput).toWellFormed(),
    },
    outcome.limitHit === undefined ? {} : { hint: limitHint(outcome.limitHit, given, context) },
  );
}

/** The last line that says what happened: not the frames of a stack, nor the version that Node.js prints below them. */
function lastWords(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.findLast((line) => line !== "" && !/^(at |Node\.js v\d)/.test(line)) ?? "";
}

function describeEnd(outcome: SandboxOutcome): string {
  if (outcome.limitHit !== undefined) return `was stopped at its ${outcome.limitHit} limit`;
  if (outcome.signal !== null) return `was ended by ${outcome.signal}`;
  return `ended with exit code ${outcome.exitCode}`;
}

/** Names the key to raise and the value that was in force. */
function limitHint(
  limit: NonNullable<SandboxOutcome["limitHit"]>,
  given: ResolvedCode,
  { timeoutMs }: Pick<ToolContext, "timeoutMs">,
): string {
  const { key, value } = limitInForce(limit, given.limits, timeoutMs);
  if (limit === "wall")
    return `It had ${value} seconds: give the step a longer \`timeout\` (and \`limits.wallSeconds\`), at most 600 seconds.`;
  return `Raise \`limits.${key}\` of the step, which was ${value}.`;
}

function describeProgram(program: {
  readonly language: LanguageId;
  readonly file?: string | undefined;
}): string {
  return program.file === undefined
    ? `a ${program.language} program`
    : `${program.file} (${program.language})`;
}

function describeOutcome(
  outcome: SandboxOutcome,
  program: ResolvedProgram,
  files: CollectedOutputs,
): JsonObject {
  const { stdout, stderr } = outcome;
  return {
    language: program.language,
    tier: outcome.tier,
    exitCode: outcome.exitCode,
    signal: outcome.signal,
    limitHit: outcome.limitHit ?? null,
    // A cut may halve a character, and half a character cannot be recorded.
    stdout: stdout.slice(0, keptOutput).toWellFormed(),
    stderr: stderr.slice(-keptOutput).toWellFormed(),
    truncated: stdout.length > keptOutput || stderr.length > keptOutput,
    written: files.written,
    deleted: outcome.deleted,
    refused: files.refused.map((each) => ({ ...each })),
    durationMs: outcome.durationMs,
    cpuMs: outcome.cpuMs ?? null,
    peakMemoryBytes: outcome.peakMemoryBytes ?? null,
  };
}
