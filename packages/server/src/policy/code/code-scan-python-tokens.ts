/** Cuts Python into tokens (The Python Language Reference 3.12, chapter 2), texts with values put in among them. */
import type { Token, Tokens } from "./code-scan-tokens.ts";

interface State {
  readonly source: string;
  readonly tokens: Token[];
  at: number;
  brokenAt: number | null;
  /** Open brackets: inside them an end of line means nothing. */
  brackets: number;
}

/** Texts with values may hold texts with values. */
const deepest = 20;

export function readPythonTokens(source: string): Tokens {
  const state: State = { source, tokens: [], at: 0, brokenAt: null, brackets: 0 };
  readUntil(state, null, 0);
  return { tokens: state.tokens, brokenAt: state.brokenAt };
}

/** To the end, or in a text with values to the sign that ends a value (`}`, `:` or `!`), which is left. */
function readUntil(state: State, quote: Quote | null, depth: number): void {
  const { source } = state;
  const outside = state.brackets;
  while (state.at < source.length) {
    const sign = source[state.at]!;
    if (quote !== null && state.brackets === outside && isValueEnd(source, state.at)) return;
    if (sign === "#") skipComment(state);
    else if (sign === "\n") {
      if (quote !== null && !quote.isTriple) return;
      if (state.brackets === 0) add(state, "line", "", state.at);
      state.at++;
    } else if (sign === "\\" || sign === " " || sign === "\t" || sign === "\r" || sign === "\f") state.at++;
    else if (sign === '"' || sign === "'") readText(state, "", depth);
    else if (isNameStart(sign)) readName(state, depth);
    else if (isDigit(sign)) readNumber(state);
    else {
      if ("([{".includes(sign)) state.brackets++;
      else if (")]}".includes(sign) && state.brackets > 0) state.brackets--;
      add(state, "sign", sign, state.at);
      state.at++;
    }
  }
}

function isValueEnd(source: string, at: number): boolean {
  const sign = source[at];
  return sign === "}" || sign === ":" || (sign === "!" && source[at + 1] !== "=");
}

function add({ tokens }: State, kind: Token["kind"], text: string, offset: number): void {
  tokens.push({ kind, text, value: null, offset });
}

function skipComment(state: State): void {
  const end = state.source.indexOf("\n", state.at);
  state.at = end < 0 ? state.source.length : end;
}

function isDigit(sign: string): boolean {
  return sign >= "0" && sign <= "9";
}

function isNameStart(sign: string): boolean {
  return (sign >= "a" && sign <= "z") || (sign >= "A" && sign <= "Z") || sign === "_" || sign > "\x7f";
}

function readName(state: State, depth: number): void {
  const { source } = state;
  const start = state.at;
  while (state.at < source.length && (isNameStart(source[state.at]!) || isDigit(source[state.at]!)))
    state.at++;
  const name = source.slice(start, state.at);
  const next = source[state.at];
  if ((next === '"' || next === "'") && /^[rbuft]{1,2}$/i.test(name)) return readText(state, name, depth);
  // Python compares names in this form: the wide letters of `ｅval` make `eval` (chapter 2.3).
  add(state, "name", /[^\x00-\x7f]/.test(name) ? name.normalize("NFKC") : name, start);
}

function readNumber(state: State): void {
  const start = state.at;
  while (/[0-9A-Za-z_.]/.test(state.source[state.at] ?? "")) state.at++;
  add(state, "number", "", start);
}

interface Quote {
  readonly sign: string;
  readonly isTriple: boolean;
}

/** The state stands at the quote. */
function readText(state: State, prefix: string, depth: number): void {
  const { source } = state;
  const start = state.at;
  const sign = source[start]!;
  const isTriple = source[start + 1] === sign && source[start + 2] === sign;
  state.at += isTriple ? 3 : 1;
  const hasValues = /[ft]/i.test(prefix);
  const index = state.tokens.length;
  state.tokens.push({ kind: "text", text: "", value: null, offset: start });
  const parts = readParts(state, { sign, isTriple }, { isRaw: /r/i.test(prefix), hasValues, depth });
  if (parts !== undefined) {
    state.tokens[index] = { kind: "text", text: "", value: parts, offset: start };
  }
}

interface TextKind {
  readonly isRaw: boolean;
  readonly hasValues: boolean;
  readonly depth: number;
}

/** What the text holds up to its closing quote, which is taken; undefined when it is not all written out. */
function readParts(state: State, quote: Quote, { isRaw, hasValues, depth }: TextKind): string | undefined {
  const { source } = state;
  const start = state.at;
  const closing = quote.isTriple ? quote.sign.repeat(3) : quote.sign;
  let text = "";
  let isKnown = true;
  for (;;) {
    const sign = source[state.at];
    if (sign === undefined || (sign === "\n" && !quote.isTriple)) {
      state.brokenAt ??= Math.min(start, source.length);
      return undefined;
    }
    if (sign === quote.sign && source.startsWith(closing, state.at)) break;
    if (sign === "\\") {
      const escape = readEscape(source, state.at);
      state.at += escape.length;
      if (isRaw) text += source.slice(state.at - escape.length, state.at);
      else if (escape.value === undefined) isKnown = false;
      else text += escape.value;
    } else if (hasValues && (sign === "{" || sign === "}")) {
      const isDoubled = source[state.at + 1] === sign;
      if (isDoubled) text += sign;
      state.at += isDoubled ? 2 : 1;
      if (isDoubled || sign === "}") continue;
      isKnown = false;
      readValue(state, quote, depth);
    } else {
      text += sign;
      state.at++;
    }
  }
  state.at += closing.length;
  return isKnown ? text : undefined;
}

/** A value put into a text, behind its `{`, and how it is written (`:>10`), up to behind its `}`. */
function readValue(state: State, quote: Quote, depth: number): void {
  if (depth === deepest) {
    state.brokenAt ??= state.at;
    return;
  }
  const { source } = state;
  const outside = state.brackets;
  // Inside brackets, so that an end of line is none of a statement.
  state.brackets++;
  add(state, "sign", "(", state.at);
  readUntil(state, quote, depth + 1);
  add(state, "sign", ")", state.at);
  if (source[state.at] === "!") state.at += 2;
  if (source[state.at] === ":") {
    while (state.at < source.length && source[state.at] !== "}") {
      const sign = source[state.at]!;
      if (sign === quote.sign && !quote.isTriple) break;
      if (sign === "\n" && !quote.isTriple) break;
      state.at++;
      if (sign === "{") readValue(state, quote, depth + 1);
    }
  }
  if (source[state.at] === "}") state.at++;
  else state.brokenAt ??= Math.min(state.at, source.length);
  state.brackets = outside;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  "\n": "", "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v",
}; // prettier-ignore

/** The escape at `at`; its value is undefined for the named ones. */
function readEscape(
  source: string,
  at: number,
): { readonly length: number; readonly value: string | undefined } {
  const next = source[at + 1] ?? "";
  const ahead = source.slice(at + 1, at + 10);
  const code = /^(?:[0-7]{1,3}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})/.exec(ahead)?.[0];
  if (code !== undefined) {
    const point = /[0-7]/.test(next) ? parseInt(code, 8) : parseInt(code.slice(1), 16);
    return { length: code.length + 1, value: point > 0x10ffff ? undefined : String.fromCodePoint(point) };
  }
  if (next === "N") return { length: 2, value: undefined };
  const value = simpleEscapes[next];
  return { length: 1 + next.length, value: value ?? `\\${next}` };
}
