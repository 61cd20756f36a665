/** Arguments that a person puts in place of those asked about are checked before they are kept. */
import type { JsonObject } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import { parseArguments } from "../../tools/prepare-action.ts";
import type { AnyTool } from "../../tools/tool.ts";

/** Throws ACTION_UNKNOWN, ACTION_INVALID with one detail per wrong argument, and REQUEST_INVALID for a secret in them. */
export function checkEdits(
  tools: ReadonlyMap<string, AnyTool>,
  deps: { readonly holdsSecret: (text: string) => boolean },
): (action: string, args: JsonObject) => void {
  return (action, args) => {
    const tool = tools.get(action);
    if (tool === undefined)
      throw new HomeostatError("ACTION_UNKNOWN", `There is no tool named ${action}`, { tool: action });
    parseArguments(tool, args);
    if (!deps.holdsSecret(JSON.stringify(args))) return;
    const text = "The edited arguments hold what looks like a secret";
    throw new HomeostatError(
      "REQUEST_INVALID",
      text,
      {},
      { hint: "Use the handle of a secret: secret://NAME." },
    );
  };
}
