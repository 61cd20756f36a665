/** From the arguments somebody wrote to the action that is judged: schema check, then the tool's own look at the world. */
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import type { ErrorDetail } from "../base/error.ts";
import type { AnyTool, ResolvedAction, ToolContext } from "./tool.ts";

/** Throws ACTION_INVALID (one detail per wrong argument), and what the tool's `resolve` throws: ACTION_DENIED, FILE_*. */
export async function prepareAction(
  tool: AnyTool,
  given: JsonValue,
  context: Pick<ToolContext, "roots" | "runId">,
): Promise<ResolvedAction> {
  return tool.resolve(parseArguments(tool, given), context);
}

/** The schema check alone. Throws ACTION_INVALID with one detail per wrong argument. */
export function parseArguments(tool: AnyTool, given: JsonValue): never {
  const parsed = tool.args.safeParse(given);
  if (parsed.success) return parsed.data;
  const details: ErrorDetail[] = parsed.error.issues.map((issue) => {
    const path = issue.path.map(String).join(".");
    return { detail: issue.message, ...(path === "" ? {} : { path }) };
  });
  const told = details
    .map(({ path, detail }) => (path === undefined ? detail : `${path}: ${detail}`))
    .join("; ");
  throw new HomeostatError(
    "ACTION_INVALID",
    `${tool.name} does not take these arguments: ${told}`,
    {},
    { details },
  );
}
