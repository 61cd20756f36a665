/** Cuts JavaScript and TypeScript into tokens (ECMA-262, chapter 12), templates with the values put into them. */
import type { Token, Tokens } from "./code-scan-tokens.ts";

interface State {
  readonly source: string;
  readonly tokens: Token[];
  at: number;
  brokenAt: number | null;
  /** For each open bracket: its sign, and whether a `/` behind its end begins a pattern and is no division. */
  readonly brackets: Bracket[];
}

interface Bracket {
  readonly sign: string;
  readonly isPatternNext: boolean;
}

export function readJavaScriptTokens(source: string): Tokens {
  const state: State = { source, tokens: [], at: 0, brokenAt: null, brackets: [] };
  if (source.startsWith("#!")) skipLine(state);
  while (state.at < source.length) readToken(state);
  if (state.brackets.some(({ sign }) => sign === "`")) state.brokenAt ??= source.length;
  return { tokens: state.tokens, brokenAt: state.brokenAt };
}

function readToken(state: State): void {
  const { source } = state;
  const sign = source[state.at]!;
  const next = source[state.at + 1];
  if (sign === "/" && next === "/") skipLine(state);
  else if (sign === "/" && next === "*") skipBlock(state);
  else if (/\s/.test(sign)) state.at++;
  else if (sign === '"' || sign === "'") readText(state, sign);
  else if (sign === "`") readTemplate(state, state.at);
  else if (/[A-Za-z_$\\#]|[^\x00-\x7f]/.test(sign)) readName(state);
  else if (/[0-9]/.test(sign)) readNumber(state);
  else if (sign === "/" && isPatternPlace(state)) readPattern(state);
  else readSign(state, sign);
}

function add({ tokens }: State, kind: Token["kind"], text: string, offset: number): void {
  tokens.push({ kind, text, value: null, offset });
}

function skipLine(state: State): void {
  while (state.at < state.source.length && !/[\n\r\u2028\u2029]/.test(state.source[state.at]!)) state.at++;
}

function skipBlock(state: State): void {
  const end = state.source.indexOf("*/", state.at + 2);
  if (end < 0) state.brokenAt ??= state.at;
  state.at = end < 0 ? state.source.length : end + 2;
}

function readSign(state: State, sign: string): void {
  const { source, brackets } = state;
  // In a script `<!--` begins a comment, in a module it does not: what follows cannot be told.
  if (sign === "<" && source.startsWith("<!--", state.at)) state.brokenAt ??= state.at;
  if (sign === "(" || sign === "[" || sign === "{")
    brackets.push({ sign, isPatternNext: isStatementBracket(state, sign) });
  if (sign === "}" && brackets.at(-1)?.sign === "`") {
    brackets.pop();
    add(state, "sign", ")", state.at);
    return readTemplate(state, state.at);
  }
  const isClosing = sign === ")" || sign === "]" || sign === "}";
  const bracket = isClosing ? brackets.pop() : undefined;
  // An arrow is one sign: a block may follow it.
  const text =
    sign === "=" && source[state.at + 1] === ">"
      ? "=>"
      : sign === "?" && source[state.at + 1] === "."
        ? "."
        : sign;
  state.tokens.push({
    kind: "sign",
    text,
    value: bracket?.isPatternNext === true ? "" : null,
    offset: state.at,
  });
  state.at += text === "=>" || (sign === "?" && text === ".") ? 2 : 1;
}

/** Behind `if (...)` and behind a block a `/` begins a pattern; behind an expression it divides. */
function isStatementBracket({ tokens }: State, sign: string): boolean {
  const before = tokens.at(-1);
  if (sign === "(") return before?.kind === "name" && /^(?:if|while|for|with)$/.test(before.text);
  if (sign === "[") return false;
  if (before === undefined) return true;
  if (before.kind === "name") return /^(?:else|do|try|finally)$/.test(before.text);
  return before.kind === "sign" && [")", ";", "{", "}", "=>"].includes(before.text);
}

const operators: ReadonlySet<string> = new Set([
  "await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw", "typeof", "void", "yield",
]); // prettier-ignore

function isPatternPlace({ tokens }: State): boolean {
  const before = tokens.at(-1);
  if (before === undefined) return true;
  if (before.kind === "name") return operators.has(before.text) && tokens.at(-2)?.text !== ".";
  if (before.kind !== "sign") return false;
  if (before.text === ")" || before.text === "]" || before.text === "}") return before.value !== null;
  // `a++ / b` divides.
  const isStep = /[+-]/.test(before.text) && tokens.at(-2)?.text === before.text;
  return !isStep;
}

/** `/.../flags`, where a `/` in `[...]` is no end. */
function readPattern(state: State): void {
  const { source } = state;
  const start = state.at++;
  for (let isInSet = false; ; state.at++) {
    const sign = source[state.at];
    if (sign === undefined || sign === "\n") {
      state.brokenAt ??= start;
      return;
    }
    if (sign === "\\") state.at++;
    else if (sign === "[") isInSet = true;
    else if (sign === "]") isInSet = false;
    else if (sign === "/" && !isInSet) break;
  }
  state.at++;
  while (/[a-z]/.test(source[state.at] ?? "")) state.at++;
  add(state, "number", "", start);
}

function readNumber(state: State): void {
  const start = state.at;
  while (/[0-9A-Za-z_.]/.test(state.source[state.at] ?? "")) state.at++;
  add(state, "number", "", start);
}

function readName(state: State): void {
  const { source } = state;
  const start = state.at;
  let name = "";
  for (;;) {
    const sign = source[state.at] ?? "";
    if (sign === "\\") {
      const escape = /^\\u(?:([0-9A-Fa-f]{4})|\{([0-9A-Fa-f]{1,6})\})/.exec(
        source.slice(state.at, state.at + 10),
      );
      if (escape === null) {
        state.brokenAt ??= state.at;
        state.at++;
        break;
      }
      const code = parseInt(escape[1] ?? escape[2]!, 16);
      name += code > 0x10ffff ? "" : String.fromCodePoint(code);
      state.at += escape[0].length;
    } else if (/[A-Za-z0-9_$]|[^\x00-\x7f]/.test(sign) || (sign === "#" && state.at === start)) {
      if (sign !== "" && /\s/.test(sign)) break;
      name += sign;
      state.at++;
    } else break;
  }
  add(state, "name", name, start);
}

function readText(state: State, quote: string): void {
  const { source } = state;
  const start = state.at++;
  let text = "";
  for (;;) {
    const sign = source[state.at];
    if (sign === undefined || sign === "\n" || sign === "\r") {
      state.brokenAt ??= start;
      break;
    }
    if (sign === quote) {
      state.at++;
      break;
    }
    if (sign === "\\") text += readEscape(state);
    else {
      text += sign;
      state.at++;
    }
  }
  state.tokens.push({ kind: "text", text: "", value: text, offset: start });
}

/** From the backtick, or from the brace that ends a value, to the next value or the end. */
function readTemplate(state: State, start: number): void {
  const { source } = state;
  const isBeginning = source[start] === "`";
  state.at = start + 1;
  let text = "";
  for (;;) {
    const sign = source[state.at];
    if (sign === undefined) {
      state.brokenAt ??= start;
      return;
    }
    if (sign === "`") {
      state.at++;
      if (isBeginning) state.tokens.push({ kind: "text", text: "", value: text, offset: start });
      return;
    }
    if (sign === "$" && source[state.at + 1] === "{") {
      if (isBeginning) state.tokens.push({ kind: "text", text: "", value: null, offset: start });
      state.brackets.push({ sign: "`", isPatternNext: false });
      add(state, "sign", "(", state.at);
      state.at += 2;
      return;
    }
    if (sign === "\\") text += readEscape(state);
    else {
      text += sign;
      state.at++;
    }
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "\n": "", "\r": "", 0: "\0",
}; // prettier-ignore

/** The state stands at the backslash and is left behind the escape. */
function readEscape(state: State): string {
  const ahead = state.source.slice(state.at, state.at + 10);
  const code = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\})/.exec(ahead);
  if (code !== null) {
    state.at += code[0].length;
    const point = parseInt(code[1] ?? code[2] ?? code[3]!, 16);
    return point > 0x10ffff ? "" : String.fromCodePoint(point);
  }
  const next = ahead[1] ?? "";
  state.at += next === "\r" && ahead[2] === "\n" ? 3 : 2;
  return simpleEscapes[next] ?? next;
}
