/** Cuts expression text into tokens, one pass from left to right. */
import { expressionError } from "./expression.ts";

export type Token =
  | { readonly kind: "number"; readonly at: number; readonly end: number; readonly value: number }
  | { readonly kind: "string"; readonly at: number; readonly end: number; readonly value: string }
  | { readonly kind: "name"; readonly at: number; readonly end: number; readonly value: string }
  | { readonly kind: "symbol"; readonly at: number; readonly end: number; readonly value: string }
  | { readonly kind: "end"; readonly at: number; readonly end: number };

/** Longest first, so that `<=` is not read as `<`. */
const symbols = [
  "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.",
  "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}",
]; // prettier-ignore

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
};

const spacePattern = /[ \t\r\n]*/y;
const namePattern = /[A-Za-z_][A-Za-z0-9_]*/y;
const numberPattern = /(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const hexPattern = /[0-9a-fA-F]{4}/y;

/** The token that begins at or after `offset`. Throws EXPRESSION_INVALID for a character or string that cannot be one. */
export function nextToken(source: string, offset: number): Token {
  const at = offset + matchAt(spacePattern, source, offset).length;
  const character = source[at];
  if (character === undefined) return { kind: "end", at, end: at };
  if (character === "'" || character === '"') return readString(source, at);
  const name = matchAt(namePattern, source, at);
  if (name !== "") return { kind: "name", at, end: at + name.length, value: name };
  const number = matchAt(numberPattern, source, at);
  if (number !== "") return readNumber(source, at, number);
  return readSymbol(source, at);
}

function matchAt(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? "";
}

function readNumber(source: string, at: number, text: string): Token {
  const end = at + text.length;
  const value = Number(text);
  if (!Number.isFinite(value)) throw expressionError(at, `the number ${text} is too large`);
  if (/[A-Za-z0-9_]/.test(source[end] ?? "")) {
    throw expressionError(at, `\`${source.slice(at, end + 1)}\` is neither a number nor a name`);
  }
  return { kind: "number", at, end, value };
}

function readSymbol(source: string, at: number): Token {
  const symbol = symbols.find((candidate) => source.startsWith(candidate, at));
  if (symbol !== undefined) return { kind: "symbol", at, end: at + symbol.length, value: symbol };
  const character = String.fromCodePoint(source.codePointAt(at)!);
  throw expressionError(at, `unexpected character ${JSON.stringify(character)}`, symbolHint(character));
}

function symbolHint(character: string): string | undefined {
  if (character === "=") return "comparison is `==`";
  if (character === "&" || character === "|") return `write \`${character}${character}\``;
  if (character === "`") return "strings are written with ' or \"";
  return undefined;
}

function readString(source: string, at: number): Token {
  const quote = source[at]!;
  let value = "";
  let from = at + 1;
  for (let index = from; index < source.length; index++) {
    const character = source[index];
    if (character === quote) {
      return { kind: "string", at, end: index + 1, value: value + source.slice(from, index) };
    }
    if (character !== "\\") continue;
    value += source.slice(from, index);
    const escape = readEscape(source, index);
    value += escape.value;
    from = escape.end;
    index = escape.end - 1;
  }
  throw expressionError(at, "the string has no closing quote", `end it with ${quote}`);
}

function readEscape(source: string, at: number): { readonly value: string; readonly end: number } {
  const character = source[at + 1] ?? "";
  if (character === "u") {
    const digits = matchAt(hexPattern, source, at + 2);
    if (digits !== "") return { value: String.fromCharCode(Number.parseInt(digits, 16)), end: at + 6 };
  }
  const value = Object.hasOwn(escapes, character) ? escapes[character] : undefined;
  if (value === undefined) {
    throw expressionError(
      at,
      `unknown escape \`\\${character}\` in a string`,
      "known: \\n \\t \\r \\0 \\\\ \\' \\\" \\u1234",
    );
  }
  return { value, end: at + 2 };
}
