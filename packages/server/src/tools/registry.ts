/** Every built-in tool by action name, and how the API, the reference page and a run's pins describe them. */
import { z } from "zod";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { digestJson } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { ArgumentRole } from "../policy/rules/argument-origin.ts";
import type { RiskLevel } from "../policy/rules/decision.ts";
import { createArtifactTool } from "./artifact.ts";
import { createCodeTool } from "./code.ts";
import type { CodeToolDeps } from "./code.ts";
import { createFileTools } from "./files.ts";
import type { ExchangeDeps } from "./http-exchange.ts";
import { createHttpGetTool, createHttpRequestTool } from "./http-fetch.ts";
import { createRunWorkflowTool } from "./run-workflow.ts";
import { createWaitTool } from "./wait.ts";
import type { AnyTool, EffectClass, Tool } from "./tool.ts";

export interface ToolsDeps extends CodeToolDeps {
  readonly http: ExchangeDeps;
}

/** What GET /v1/tools answers with. */
export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly effect: EffectClass;
  readonly risk: RiskLevel;
  /** What it does to the run's files: those that may write act one after the other. */
  readonly files: "none" | "reads" | "writes";
  readonly defaultTimeoutMs: number;
  readonly maxTimeoutMs: number;
  /** JSON Schema (2020-12) of the arguments as a user writes them: what has a default may be left out. */
  readonly schema: JsonObject;
  /** What its arguments are for, by name at any depth: rules on data flow go by these. Those of others are inferred. */
  readonly argumentRoles: Readonly<Record<string, ArgumentRole>>;
}

/** In alphabetical order. */
export function createTools(deps: ToolsDeps): ReadonlyMap<string, AnyTool> {
  const files = createFileTools(deps);
  const tools: readonly AnyTool[] = [
    anyTool(createArtifactTool(deps)),
    anyTool(createCodeTool(deps)),
    anyTool(files.delete),
    anyTool(files.list),
    anyTool(files.move),
    anyTool(files.read),
    anyTool(files.write),
    anyTool(createHttpGetTool(deps.http)),
    anyTool(createHttpRequestTool(deps.http)),
    anyTool(createWaitTool()),
    anyTool(createRunWorkflowTool()),
  ];
  tools.forEach(requireKnownArguments);
  return new Map(tools.map((tool) => [tool.name, tool]));
}

/** Throws INTERNAL when a tool gives a role to an argument it does not have: rules would go by a word nobody writes. */
export function requireKnownArguments(tool: AnyTool): void {
  const names = argumentNames(schemaOf(tool));
  for (const name of Object.keys(tool.argumentRoles ?? {})) {
    if (names.has(name)) continue;
    throw new HomeostatError(
      "INTERNAL",
      `The tool ${tool.name} has a role for ${name}, which is none of its arguments`,
      {
        tool: tool.name,
        argument: name,
      },
    );
  }
}

/** Names of arguments at any depth of a JSON Schema. */
function argumentNames(schema: JsonValue): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: JsonValue): void => {
    if (Array.isArray(value)) (value as readonly JsonValue[]).forEach(visit);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value) as [string, JsonValue][]) {
      if (key === "properties") for (const name of Object.keys(inner as JsonObject)) names.add(name);
      visit(inner);
    }
  };
  visit(schema);
  return names;
}

export function describeTools(tools: ReadonlyMap<string, AnyTool>): readonly ToolDescription[] {
  return [...tools.values()].map((tool) => {
    const { name, description, effect, risk, files = "writes", defaultTimeoutMs, maxTimeoutMs } = tool;
    const { argumentRoles = {} } = tool;
    const schema = schemaOf(tool);
    return { name, description, effect, risk, files, defaultTimeoutMs, maxTimeoutMs, schema, argumentRoles };
  });
}

/** Action name to digest of its argument schema: what a run pins. */
export function digestTools(tools: ReadonlyMap<string, AnyTool>): Readonly<Record<string, string>> {
  return Object.fromEntries([...tools].map(([name, tool]) => [name, digestJson(schemaOf(tool))]));
}

function schemaOf(tool: AnyTool): JsonObject {
  // Proof of the cast: a JSON Schema is JSON; zod types it more loosely.
  return z.toJSONSchema(tool.args, { io: "input" }) as JsonObject;
}

/** The registry's callers parse with `tool.args` before `resolve`, so forgetting the type loses no check. */
function anyTool<Args>(tool: Tool<Args>): AnyTool {
  return tool as unknown as AnyTool;
}
