/** Finds substitutions that the shell runs out of quotes: `a[$(x)]`, where a text is taken as a number or as a variable's name. */
import { commandName } from "./shell-names.ts";

/** What is quoted in a number and expands all the same: numbers are expanded once more when they are computed. */
export function holdsSubstitution(text: string): boolean {
  return /\$[({]|`/.test(text);
}

/**
 * Whether a substitution stands in a subscript. `[[ -v 'a[$(x)]' ]]`, `let`, `printf -v`, `read`, `unset` and all arithmetic
 * expand it once more, and so does arithmetic with a variable of that value. Linear in the text.
 */
export function hidesSubstitution(text: string): boolean {
  if (!text.includes("[")) return false;
  let depth = 0;
  // Quotes may hide a bracket from the shell; from then on nothing closes a subscript here.
  let isQuoted = false;
  for (let at = text.indexOf("["); at < text.length; at++) {
    const sign = text[at]!;
    if (sign === "[") depth += depth > 0 || /\w/.test(text[at - 1] ?? "") ? 1 : 0;
    else if (depth === 0) continue;
    else if (sign === "]") depth -= isQuoted ? 0 : 1;
    else if (sign === "`" || (sign === "$" && /[({]/.test(text[at + 1] ?? ""))) return true;
    else if (sign === "'" || sign === '"' || sign === "\\") isQuoted = true;
  }
  return false;
}

/** Programs with languages of their own, in which `a[$(x)]` means something else and which give nothing to the shell's arithmetic. */
const otherLanguages: ReadonlySet<string> = new Set([
  "awk", "gawk", "mawk", "nawk", "sed", "gsed", "grep", "egrep", "fgrep", "rg", "jq", "perl", "python", "python3", "node",
  // Their texts are read as programs.
  "sh", "bash", "dash", "eval", "trap", "alias",
]); // prettier-ignore

export function computesNothing(argv: readonly (string | null)[]): boolean {
  return otherLanguages.has(commandName(argv) ?? "");
}
