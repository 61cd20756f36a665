/** Reads quotes and what the shell expands in words: `$x`, `${x:-y}`, `$(...)`, backticks, arithmetic, process substitution. */
import { readAnsi } from "./shell-ansi.ts";
import { hidesSubstitution, holdsSubstitution } from "./shell-hidden.ts";
import { describeExpansion, noteParameter } from "./shell-numbers.ts";
import {
  addUnknown,
  deeper,
  fail,
  noteUse,
  placeOf,
  skipBlanks,
  skipContinuations,
  unknownText,
} from "./shell-reader.ts";
import type { Reader, WordDraft } from "./shell-reader.ts";

export function createDraft(): WordDraft {
  return {
    text: "",
    isUnknown: false,
    isPattern: false,
    isPlain: true,
    name: null,
    valueFrom: 0,
    brace: "none",
    hasBracket: false,
    isHiding: false,
    isAppended: false,
  };
}

export function makeUnknown(word: WordDraft, name?: string): void {
  word.isUnknown = true;
  word.isPlain = false;
  word.text += unknownText(name);
}

/** Quotes, backslashes and expansions. False when `sign` is none of them. */
export function readQuoted(reader: Reader, word: WordDraft, sign: string): boolean {
  const { text } = reader;
  if (sign === "'") {
    word.isPlain = false;
    word.text += readSingle(reader);
  } else if (sign === '"') {
    word.isPlain = false;
    reader.at++;
    readDouble(reader, word);
  } else if (sign === "\\") {
    const next = text[reader.at + 1];
    reader.at += 2;
    if (next === "\n") return true;
    word.isPlain = false;
    word.text += next ?? "\\";
  } else if (sign === "$") {
    readDollar(reader, word, false);
  } else if (sign === "`") {
    makeUnknown(word);
    readBackticks(reader, false);
  } else return false;
  return true;
}

/** The text between single quotes; the reader stands at the first. */
function readSingle(reader: Reader): string {
  const end = reader.text.indexOf("'", reader.at + 1);
  if (end < 0) fail(reader, "a single quote is not closed");
  const inside = reader.text.slice(reader.at + 1, end);
  reader.at = end + 1;
  return inside;
}

/** The reader stands behind the opening double quote and is left behind the closing one. */
function readDouble(reader: Reader, word: WordDraft): void {
  const { text } = reader;
  const start = reader.at;
  for (;;) {
    const sign = text[reader.at];
    if (sign === undefined) {
      reader.at = start - 1;
      fail(reader, "a double quote is not closed");
    }
    if (sign === '"') break;
    if (sign === "$") readDollar(reader, word, true);
    else if (sign === "`") {
      makeUnknown(word);
      readBackticks(reader, true);
    } else if (sign === "\\") {
      const next = text[reader.at + 1] ?? "";
      if (next !== "\n") word.text += escapable.has(next) ? next : `\\${next}`;
      reader.at += 2;
    } else {
      word.text += sign;
      reader.at++;
    }
  }
  reader.at++;
}
const escapable: ReadonlySet<string> = new Set(["$", "`", '"', "\\"]);

/** The whole text is the body of a here-document; answers what it holds, null when only known at run time. */
export function readDocumentBody(reader: Reader): string | null {
  const { text } = reader;
  const word = createDraft();
  while (reader.at < text.length) {
    const sign = text[reader.at]!;
    if (sign === "$") readDollar(reader, word, true);
    else if (sign === "`") {
      makeUnknown(word);
      readBackticks(reader, false);
    } else if (sign === "\\") {
      // A body ends with the end of a line.
      const next = text[reader.at + 1]!;
      word.text += next === "$" || next === "`" || next === "\\" ? next : `\\${next}`;
      reader.at += 2;
    } else {
      word.text += sign;
      reader.at++;
    }
  }
  return word.isUnknown ? null : word.text;
}

/** The reader stands at `$`. `isDouble`: inside double quotes or a here-document. */
function readDollar(reader: Reader, word: WordDraft, isDouble: boolean): void {
  const { text } = reader;
  const next = skipContinuations(text, reader.at + 1);
  const sign = text[next];
  if (!isDouble && (sign === "'" || sign === '"')) {
    if (reader.dialect === "posix")
      fail(reader, "`$` before a quote means different things in different shells");
    word.isPlain = false;
    reader.at = next + 1;
    if (sign === "'") readAnsi(reader, word);
    else readDouble(reader, word);
    return;
  }
  if (sign === undefined || !/[A-Za-z0-9_@*#?$!({[-]/.test(sign)) {
    word.text += "$";
    reader.at++;
    return;
  }
  const start = next;
  reader.at = next + 1;
  if (sign === "(") readParenthesis(reader);
  else if (sign === "{") deeper(reader, () => readParameter(reader, isDouble));
  else if (sign === "[") fail(reader, "`$[` is not read; write `$((`");
  else if (/[A-Za-z_]/.test(sign)) skipName(reader);
  makeUnknown(word, describeExpansion(text.slice(start, reader.at)));
}

function readParenthesis(reader: Reader): void {
  const { text } = reader;
  const second = skipContinuations(text, reader.at);
  if (text[second] !== "(") return readCommands(reader);
  reader.at = second + 1;
  readArithmetic(reader);
}

/** Commands up to the closing parenthesis, which is taken. */
function readCommands(reader: Reader): void {
  const { pending, outerPending } = reader;
  reader.outerPending += pending.length;
  reader.pending = [];
  deeper(reader, () => reader.readSubstitution(reader));
  if (reader.pending.length > 0) fail(reader, "a here-document is not closed inside its substitution");
  reader.pending = pending;
  reader.outerPending = outerPending;
  reader.at++;
}

/** `<(...)` or `>(...)`; the reader stands at its first sign. */
export function readProcess(reader: Reader): void {
  if (reader.dialect === "posix")
    fail(reader, "a process substitution means different things in different shells");
  reader.at = skipContinuations(reader.text, reader.at + 1) + 1;
  readCommands(reader);
}

/**
 * Up to `))`, which is taken. As in bash, the first parenthesis that closes must be followed by another; where it is not,
 * it would be a subshell in a substitution, and reading again from the start would cost the square of the text.
 */
export function readArithmetic(reader: Reader): void {
  const { text } = reader;
  const inside = createDraft();
  const start = reader.at;
  deeper(reader, () => {
    for (let depth = 0; ;) {
      const sign = text[reader.at];
      if (sign === undefined) fail(reader, "an arithmetic expression is not closed");
      if (sign === "(") depth++;
      if (sign === ")" && depth-- === 0) break;
      requireUnescaped(reader, sign);
      if (readInner(reader, inside, sign)) continue;
      if (sign === "'") fail(reader, "a single quote in arithmetic is read differently by different shells");
      inside.text += sign;
      reader.at++;
    }
    noteUse(reader, inside.text, { place: placeOf(reader, start) });
    if (holdsSubstitution(inside.text)) addUnknown(reader, placeOf(reader, start));
    const second = skipContinuations(text, reader.at + 1);
    if (text[second] !== ")") fail(reader, "`((` is not closed by `))`; put a blank between parentheses");
    if (!areParenthesesEven(text, start, reader.at)) {
      fail(reader, "parentheses in arithmetic are not even, so that bash may read it as commands");
    }
    reader.at = second + 1;
  });
}

/**
 * When bash expands `$((...))` it counts parentheses once more, more simply than when it read them, and runs the text as
 * commands where they are not even: `$((rm x; $(a[)]=1 :)))`. Both ways to count must agree, with quotes and without.
 */
function areParenthesesEven(text: string, start: number, end: number): boolean {
  let all = 0;
  let unquoted = 0;
  let quote = "";
  for (let at = start; at < end; at++) {
    const sign = text[at]!;
    if (sign === "\\") {
      if (text[at + 1] === "(" || text[at + 1] === ")") return false;
      at++;
    } else if (sign === "'" || sign === '"') {
      if (quote === "") quote = sign;
      else if (quote === sign) quote = "";
    } else if (sign === "(" || sign === ")") {
      const step = sign === "(" ? 1 : -1;
      all += step;
      if (quote === "") unquoted += step;
      if (all < 0 || unquoted < 0) return false;
    }
  }
  return all === 0 && unquoted === 0;
}

/** From `[` to behind its `]`. */
export function readSubscript(reader: Reader): void {
  const { text } = reader;
  const inside = createDraft();
  const start = reader.at;
  for (let depth = 0; ;) {
    const sign = text[reader.at];
    if (sign === undefined) {
      reader.at = start;
      fail(reader, "a subscript is not closed");
    }
    requireUnescaped(reader, sign);
    if (readInner(reader, inside, sign)) continue;
    if (sign === "'") {
      if (text[reader.at - 1] === "$") fail(reader, "`$` before a quote in a subscript is not read");
      inside.text += readSingle(reader);
      continue;
    }
    inside.text += sign;
    reader.at++;
    if (sign === "[") depth++;
    else if (sign === "]" && --depth === 0) break;
  }
  noteUse(reader, inside.text, { place: placeOf(reader, start) });
  if (holdsSubstitution(inside.text)) addUnknown(reader, placeOf(reader, start));
}

function requireUnescaped(reader: Reader, sign: string): void {
  if (sign !== "\\" || !/[$`]/.test(reader.text[reader.at + 1] ?? "")) return;
  fail(reader, "an escaped expansion in a number may be expanded after all");
}

/** `(a b c)` behind `name=`; the reader stands at the parenthesis. */
export function readArray(reader: Reader, readElement: () => void): void {
  deeper(reader, () => {
    reader.at++;
    for (;;) {
      skipBlanks(reader);
      const sign = reader.text[reader.at];
      if (sign === ")") break;
      if (sign === "\n") {
        // A here-document of the same line would have its body here.
        if (reader.pending.length + reader.outerPending > 0)
          fail(reader, "a here-document begins inside a list");
        reader.at++;
        continue;
      }
      const from = reader.at;
      if (sign !== undefined) readElement();
      if (reader.at === from) fail(reader, "a list of values is not closed");
    }
    reader.at++;
  });
}

/** What may be expanded in any quoted or bracketed text. False when `sign` begins nothing of the kind. */
function readInner(reader: Reader, inside: WordDraft, sign: string): boolean {
  if (sign === "$") readDollar(reader, inside, true);
  else if (sign === "`") readBackticks(reader, true);
  else if (sign === '"') {
    reader.at++;
    readDouble(reader, inside);
  } else if (sign === "\\") {
    const next = reader.text[reader.at + 1] ?? "";
    if (/\w/.test(next)) inside.text += next;
    reader.at += 2;
  } else return false;
  return true;
}

/** Behind `${`, up to behind its `}`. */
function readParameter(reader: Reader, isDouble: boolean): void {
  const { text } = reader;
  const inside = createDraft();
  const start = reader.at;
  if (/[\s|]/.test(text[start] ?? " ")) fail(reader, "commands in `${ ...; }` are not read");
  const operator = readParameterName(reader);
  // `${x:1:2}` computes numbers.
  const isSlice = operator === ":" && !/[-=?+]/.test(text[reader.at + 1] ?? "");
  const isQuoteLiteral = isDouble && /[-:=+?]/.test(operator);
  for (;;) {
    const sign = text[reader.at];
    if (sign === undefined) {
      reader.at = start;
      fail(reader, "`${` is not closed");
    }
    if (sign === "}") break;
    if (isSlice) requireUnescaped(reader, sign);
    if (sign === '"' && reader.isDocument) fail(reader, "a double quote inside `${` of a here-document");
    if (readInnerOf(reader, inside, sign, isDouble)) continue;
    if (sign === "'" && !isQuoteLiteral) {
      if (isDouble) fail(reader, "a single quote inside `${` is read differently by different shells");
      inside.text += readSingle(reader);
      continue;
    }
    if ((sign === "<" || sign === ">") && text[reader.at + 1] === "(") {
      fail(reader, "a process substitution inside `${` is not read");
    }
    if (isSlice) inside.text += sign;
    reader.at++;
  }
  // `${x@P}` expands the value as a prompt, and prompts may run commands.
  const isPrompt = text.slice(reader.at - 2, reader.at) === "@P";
  if (isPrompt || (isSlice && holdsSubstitution(inside.text)) || hidesSubstitution(inside.text))
    addUnknown(reader);
  if (isSlice) noteUse(reader, inside.text);
  noteParameter(reader, text.slice(start, Math.min(reader.at, start + 200)));
  reader.at++;
}

function readInnerOf(reader: Reader, inside: WordDraft, sign: string, isDouble: boolean): boolean {
  if (sign !== "$") return readInner(reader, inside, sign);
  readDollar(reader, inside, isDouble);
  return true;
}

/** The name and subscript of a parameter; answers the operator's first sign, empty when there is none. */
function readParameterName(reader: Reader): string {
  const { text } = reader;
  const first = text[reader.at]!;
  const second = text[reader.at + 1] ?? "";
  const hasPrefix = /[!#]/.test(first) && /[A-Za-z0-9_@*#?$!-]/.test(second);
  if (hasPrefix) reader.at++;
  const sign = hasPrefix ? second : first;
  if (/[A-Za-z0-9_]/.test(sign)) skipName(reader);
  else if (/[@*#?$!-]/.test(sign)) reader.at++;
  if (text[reader.at] === "[") readSubscript(reader);
  return text[reader.at] ?? "";
}

function skipName(reader: Reader): void {
  const { text } = reader;
  for (;;) {
    reader.at = skipContinuations(text, reader.at);
    const sign = text[reader.at];
    if (sign === undefined || !/[A-Za-z0-9_]/.test(sign)) return;
    reader.at++;
  }
}

/** The reader stands at the first backtick. Inside, a backslash before `` ` ``, `$` or itself is taken away first. */
function readBackticks(reader: Reader, isDouble: boolean): void {
  const { text } = reader;
  const start = reader.at;
  const parts: string[] = [];
  let from = start + 1;
  for (reader.at = from; ; reader.at++) {
    const sign = text[reader.at];
    if (sign === undefined) {
      reader.at = start;
      fail(reader, "a backtick is not closed");
    }
    if (sign === "`") break;
    if (sign !== "\\") continue;
    const next = text[reader.at + 1];
    if (next === "`" || next === "$" || next === "\\" || (isDouble && next === '"')) {
      parts.push(text.slice(from, reader.at));
      from = reader.at + 1;
    }
    reader.at++;
  }
  parts.push(text.slice(from, reader.at));
  reader.readText(reader, parts.join(""), { dialect: reader.dialect, place: placeOf(reader, start) });
  reader.at++;
}
