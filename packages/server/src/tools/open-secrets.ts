/** Puts the values of secrets in place of their handles at the last moment: the tool sees them, nothing before or after it does. */
import type { JsonObject } from "../base/canonical-json.ts";
import { errorMessage, HomeostatError, isHomeostatError } from "../base/error.ts";
import type { AnyTool, ResolvedAction } from "./tool.ts";

/** Gives the arguments with values; rejects when a handle cannot be opened (any more). */
export type Reveal = (tenant: string, args: JsonObject) => Promise<JsonObject>;

/** The same tools, whose `execute` and `check` get opened arguments. */
export function openSecretsOf(
  tools: ReadonlyMap<string, AnyTool>,
  reveal: Reveal,
): ReadonlyMap<string, AnyTool> {
  return new Map([...tools].map(([name, tool]) => [name, openingSecrets(tool, reveal)]));
}

function openingSecrets(tool: AnyTool, reveal: Reveal): AnyTool {
  const open = async (resolved: ResolvedAction, tenant: string): Promise<ResolvedAction> => {
    try {
      return { ...resolved, args: await reveal(tenant, resolved.args) };
    } catch (error) {
      throw asNotHappened(error);
    }
  };
  const check = tool.check?.bind(tool);
  return {
    ...tool,
    async execute(resolved, context) {
      const opened = await open(resolved, context.tenant);
      return await tool.execute(opened, { ...context, sealedArgs: resolved.args });
    },
    ...(check === undefined
      ? {}
      : {
          check: async (resolved: ResolvedAction, context: Parameters<typeof check>[1]) =>
            await check(await open(resolved, context.tenant), context),
        }),
  };
}

/** Nothing was done yet: without saying so, an unsafe action would leave a doubt that a person has to settle. */
function asNotHappened(error: unknown): unknown {
  if (!isHomeostatError(error)) return error;
  const data = { ...error.data, didNotHappen: true };
  return new HomeostatError(error.code, errorMessage(error), data, { cause: error, hint: error.hint });
}
