/** Reads one word of the shell language: quotes, escapes, patterns and every kind of expansion (POSIX.1-2024, XCU 2.2, 2.6). */
import {
  createDraft,
  makeUnknown,
  readArray,
  readProcess,
  readQuoted,
  readSubscript,
} from "./shell-expansions.ts";
import {
  addUnknown,
  fail,
  isMeta,
  isProcessSubstitution,
  noteUse,
  noteValue,
  skipContinuations,
  unknownText,
} from "./shell-reader.ts";
import type { Assignment, Reader, WordDraft } from "./shell-reader.ts";
import { hidesSubstitution } from "./shell-hidden.ts";

export interface Word {
  /** Null: the shell only knows when it runs. */
  readonly value: string | null;
  /** The text when file name patterns are all that is unknown. */
  readonly pattern: string | null;
  /** Nothing is quoted or expanded: only such words can be reserved or numbers of redirections. */
  readonly isPlain: boolean;
  /** See `SimpleCommand.texts`. */
  readonly text: string;
  /** It holds `a[$(x)]` in quotes, see `hidesSubstitution`. */
  readonly isHiding: boolean;
  /** For `name=value`, `name+=value` and `name[...]=value`. */
  readonly assignment: Assignment | null;
  /** `name+=value`. */
  readonly isAppended: boolean;
}

/** `isAssignable`: an assignment may stand here. The reader stands at the first sign and is left behind the last. */
export function readWord(reader: Reader, isAssignable: boolean): Word {
  const { text } = reader;
  const word = createDraft();
  const start = reader.at;
  for (;;) {
    const sign = text[reader.at];
    if (sign === undefined) break;
    if (isMeta(sign)) {
      if (isProcessSubstitution(reader)) {
        readProcess(reader);
        makeUnknown(word);
        continue;
      }
      break;
    }
    if (readQuoted(reader, word, sign)) continue;
    if (isAssignable && (sign === "=" || sign === "[") && readNameSign(reader, word, sign)) continue;
    if (extendedPattern.has(sign) && text[skipContinuations(text, reader.at + 1)] === "(") {
      // `name()` defines a function, whatever the name.
      if (isEmptyParentheses(reader)) {
        word.text += sign;
        reader.at++;
        break;
      }
      readExtendedPattern(reader);
      makeUnknown(word);
      continue;
    }
    notePattern(word, sign, start === reader.at ? "" : text[reader.at - 1]!);
    word.text += sign;
    reader.at++;
  }
  return finish(word);
}

function finish(word: WordDraft): Word {
  const { name, isUnknown, isPattern, text } = word;
  const isFixed = !isUnknown && !isPattern;
  const valueText = text.slice(word.valueFrom);
  return {
    value: isFixed ? text : null,
    pattern: isPattern && !isUnknown ? text : null,
    isPlain: word.isPlain,
    text,
    // A subscript before the value was read as one already.
    isHiding: word.isHiding || hidesSubstitution(valueText),
    // File name patterns are not expanded in values.
    assignment: name === null ? null : { name, value: isUnknown ? null : valueText, text: valueText },
    isAppended: word.isAppended,
  };
}

/** `=` behind a name begins a value, `[` behind one a subscript, in which blanks are no end of the word. */
function readNameSign(reader: Reader, word: WordDraft, sign: "=" | "["): boolean {
  if (!word.isPlain || word.name !== null) return false;
  const { text } = reader;
  if (sign === "[") {
    if (word.hasBracket || !isName(word.text)) return false;
    word.hasBracket = true;
    const from = reader.at;
    readSubscript(reader);
    word.text += text.slice(from, reader.at);
    // Without `=` behind it, it is a pattern and blanks in it would be another reading.
    const next = text[skipContinuations(text, reader.at)];
    if (next === "=" || next === "+") return true;
    if (/\s/.test(text.slice(from, reader.at))) fail(reader, "a subscript with blanks is no assignment");
    word.isPattern = true;
    word.isPlain = false;
    return true;
  }
  // Asked once for each word: what is no name here is none at the next `=`.
  word.isPlain = false;
  word.isAppended = word.text.endsWith("+");
  const name = word.text.replace(/\+$/, "");
  const bracket = name.indexOf("[");
  if (!isName(bracket < 0 ? name : name.slice(0, bracket))) return false;
  word.name = bracket < 0 ? name : name.slice(0, bracket);
  word.text += "=";
  word.valueFrom = word.text.length;
  reader.at = skipContinuations(text, reader.at + 1);
  if (text[reader.at] !== "(") return true;
  if (reader.dialect === "posix")
    fail(reader, "a list as a value means different things in different shells");
  readArray(reader, () => {
    const element = readWord(reader, false);
    // `[...]=x` is an element with its subscript.
    word.isHiding ||=
      element.isHiding || (element.text.startsWith("[") && hidesSubstitution(`_${element.text}`));
    const [subscript = "", index] = /^\[([^\]]*)\]\+?=/.exec(element.text) ?? [];
    if (index !== undefined) noteUse(reader, index);
    // File names, but not behind a subscript.
    const isFiles = index === undefined && element.pattern !== null;
    noteValue(reader, word.name!, isFiles ? unknownText() : element.text.slice(subscript.length));
  });
  // Its elements are noted.
  makeUnknown(word, "4");
  return true;
}

function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/**
 * Notes what an unquoted sign does to the word when it is expanded. `before` is the sign in front of it, empty for the
 * first: asking the collected text for its end would copy it each time.
 */
function notePattern(word: WordDraft, sign: string, before: string): void {
  if (sign === "*" || sign === "?") word.isPattern = true;
  else if (sign === "[") word.hasBracket = true;
  else if (sign === "]") word.isPattern ||= word.hasBracket;
  else if (sign === "~") {
    if (before === "" || before === "=" || before === ":" || before === "\n") word.isUnknown = true;
  } else if (sign === "{") {
    if (word.brace === "none") word.brace = "open";
  } else if (sign === "," || (sign === "." && before === ".")) {
    if (word.brace === "open") word.brace = "list";
  } else if (sign === "}" && word.brace === "list") word.isUnknown = true;
}

const extendedPattern: ReadonlySet<string> = new Set("?*+@!");

function isEmptyParentheses({ text, at }: Reader): boolean {
  const open = skipContinuations(text, at + 1);
  let close = skipContinuations(text, open + 1);
  while (text[close] === " " || text[close] === "\t") close++;
  return text[close] === ")";
}

/** `@(a|b)` and its kind: only the substitutions inside matter. */
function readExtendedPattern(reader: Reader): void {
  const { text } = reader;
  const start = reader.at;
  const inside = createDraft();
  let depth = 0;
  reader.at = skipContinuations(text, reader.at + 1);
  for (;;) {
    const sign = text[reader.at];
    if (sign === undefined || sign === "\n") {
      reader.at = start;
      fail(reader, "a pattern in parentheses is not closed");
    }
    if (readQuoted(reader, inside, sign)) continue;
    reader.at++;
    if (sign === "(") depth++;
    else if (sign === ")" && --depth === 0) return;
    else if ((sign === "<" || sign === ">") && text[reader.at] === "(") addUnknown(reader);
  }
}
