/** What the scanners of code have in common: tokens, findings, and texts put together from literals. */
import { quoteShellWord } from "../shell/shell-names.ts";

export interface CodeFinding {
  /** What is called, for example `os.system`, `eval`, `child_process`. */
  readonly name: string;
  readonly line: number;
  readonly column: number;
  /** The shell command it is given, when that is written out. */
  readonly literalCommand?: string;
}

/** A finding before its place is counted. With `inner` it is code in a text, to be scanned instead. */
export interface Found {
  readonly name: string;
  readonly offset: number;
  readonly literalCommand?: string;
  readonly inner?: string;
}

export interface Token {
  readonly kind: "name" | "text" | "sign" | "number" | "line";
  /** The name or the sign; empty for a text. */
  readonly text: string;
  /** For texts: what they hold, null when values are put in. */
  readonly value: string | null;
  readonly offset: number;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  /** Where the text could not be understood; what follows is scanned as well as it goes. */
  readonly brokenAt: number | null;
}

export function isSign(token: Token | undefined, text: string): boolean {
  return token?.kind === "sign" && token.text === text;
}

export interface Literal<Value> {
  readonly value: Value;
  /** Index of the token behind it. */
  readonly end: number;
}

/** A text at `index`, put together by `+` or by standing side by side; undefined when anything else is in it. */
export function readLiteral(tokens: readonly Token[], index: number): Literal<string> | undefined {
  const parts: string[] = [];
  let at = index;
  for (;;) {
    const token = tokens[at];
    if (token?.kind !== "text" || token.value === null) return undefined;
    parts.push(token.value);
    at++;
    if (isSign(tokens[at], "+")) at++;
    else if (tokens[at]?.kind !== "text") break;
  }
  const next = tokens[at];
  if (!isSign(next, ",") && !isSign(next, ")") && !isSign(next, "]")) return undefined;
  return { value: parts.join(""), end: at };
}

/** `["a", "b"]` or `("a", "b")` at `index`. */
function readLiteralList(tokens: readonly Token[], index: number): Literal<readonly string[]> | undefined {
  const close = isSign(tokens[index], "[") ? "]" : isSign(tokens[index], "(") ? ")" : undefined;
  if (close === undefined) return undefined;
  const words: string[] = [];
  let at = index + 1;
  while (!isSign(tokens[at], close)) {
    const word = readLiteral(tokens, at);
    if (word === undefined) return undefined;
    words.push(word.value);
    at = isSign(tokens[word.end], ",") ? word.end + 1 : word.end;
  }
  return { value: words, end: at + 1 };
}

/**
 * The command of a call whose first argument is at `index`: a text for a shell, a list of words, or a text and a list.
 * Undefined when it is not written out.
 */
export function readLiteralCommand(tokens: readonly Token[], index: number): string | undefined {
  const list = readLiteralList(tokens, index);
  if (list !== undefined) return list.value.map(quoteShellWord).join(" ");
  const text = readLiteral(tokens, index);
  if (text === undefined) return undefined;
  if (!isSign(tokens[text.end], ",")) return text.value;
  const rest = readLiteralList(tokens, text.end + 1);
  return rest === undefined ? text.value : [text.value, ...rest.value].map(quoteShellWord).join(" ");
}

/** Absolute and not in the folders a program has for itself. */
export function isForeignPath(path: string): boolean {
  return path.startsWith("/") && !/^\/(?:box|tmp)\/(?!.*\.\.)./.test(path);
}
