/** Reads JSON from outside into a value that can be recorded: bounded in depth, every string well-formed. Pure. */
import { toWellFormedJson } from "../base/canonical-json.ts";
import type { JsonValue } from "../base/canonical-json.ts";

/** Deeper values are attacks on whatever walks them recursively; ours stop far below the stack's end. */
const deepestJson = 200;

/** Lone surrogates (`"\ud800"` is valid JSON) become U+FFFD: they can neither be digested nor encoded. Throws SyntaxError. */
export function parseJson(text: string): JsonValue {
  requireShallow(text);
  const value = JSON.parse(text) as JsonValue;
  return /\\u[dD][89a-fA-F]/.test(text) ? toWellFormedJson(value) : value;
}

/** Counts brackets outside strings, before anything recursive sees the text. */
function requireShallow(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text[at];
    if (inString) {
      if (unit === "\\") at += 1;
      else if (unit === '"') inString = false;
    } else if (unit === '"') inString = true;
    else if (unit === "[" || unit === "{") depth += 1;
    else if (unit === "]" || unit === "}") depth -= 1;
    if (depth > deepestJson) throw new SyntaxError(`nested deeper than ${deepestJson} levels`);
  }
}
