/**
 * Finds calls in Python, JavaScript and TypeScript that start programs, run texts as code, load native code or use the
 * network, so that a person can be asked. A heuristic over tokens: it raises a question and is never the wall, for a
 * program can always hide what it does from its reader. The wall is the sandbox.
 */
import { findJavaScriptCalls } from "./code-scan-javascript.ts";
import { readJavaScriptTokens } from "./code-scan-javascript-tokens.ts";
import { findPythonCalls } from "./code-scan-python.ts";
import { readPythonTokens } from "./code-scan-python-tokens.ts";
import type { CodeFinding, Found } from "./code-scan-tokens.ts";

export type { CodeFinding } from "./code-scan-tokens.ts";

export type ScannedLanguage = "python" | "javascript" | "typescript";

const limits = { textLength: 1_048_576, findings: 500, depth: 4 } as const;

/**
 * Never throws; time linear in the text. `unparsable` is among the names when the text cannot be cut into tokens, and
 * `too-many` when there are more than 500 findings. A text of code in the code (`eval("...")`) is scanned too.
 */
export function scanCode(language: ScannedLanguage, source: string): readonly CodeFinding[] {
  if (source.length > limits.textLength) return [{ name: "unparsable", line: 1, column: 1 }];
  return scan(language, source, 0).slice(0, limits.findings);
}

function scan(language: ScannedLanguage, source: string, depth: number): readonly CodeFinding[] {
  const isPython = language === "python";
  const { tokens, brokenAt } = isPython ? readPythonTokens(source) : readJavaScriptTokens(source);
  const calls = isPython ? findPythonCalls(tokens) : findJavaScriptCalls(tokens);
  const found: readonly Found[] =
    brokenAt === null ? calls : [{ name: "unparsable", offset: brokenAt }, ...calls];
  const place = createPlaces(source);
  return found.flatMap(({ offset, inner, ...finding }, index): readonly CodeFinding[] => {
    const here = place(offset);
    if (index >= limits.findings - 1) return index < limits.findings ? [{ name: "too-many", ...here }] : [];
    if (inner === undefined) return [{ ...finding, ...here }];
    if (depth === limits.depth) return [{ name: "unparsable", ...here }];
    return scan(language, inner, depth + 1).map((each) => ({ ...each, ...here }));
  });
}

/** Lines and columns from 1. */
function createPlaces(
  source: string,
): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = [0];
  for (let end = source.indexOf("\n"); end >= 0; end = source.indexOf("\n", end + 1)) starts.push(end + 1);
  return (offset) => {
    let low = 0;
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
}
