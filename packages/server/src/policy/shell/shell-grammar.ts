/** The grammar of the shell language (POSIX.1-2024, XCU 2.10, and bash's additions), read by recursive descent. */
import { readDocuments, readRedirection, startsRedirection } from "./shell-redirections.ts";
import {
  addUnknown,
  beginCommand,
  deeper,
  fail,
  isMeta,
  isProcessSubstitution,
  noteUse,
  noteValue,
  peekOperator,
  shellLimits,
  skipBlanks,
  skipContinuations,
  unknownText,
} from "./shell-reader.ts";
import type { Draft, Reader } from "./shell-reader.ts";
import { readArithmetic } from "./shell-expansions.ts";
import { peekReserved } from "./shell-reserved.ts";
import { readWord } from "./shell-words.ts";
import type { Word } from "./shell-words.ts";
import { computesNothing } from "./shell-hidden.ts";
import { readInnerCommands } from "./shell-wrappers.ts";

/** What ends a list of commands; it is left for the caller. */
interface Closing {
  readonly operators: readonly string[];
  readonly words: readonly string[];
}

/** Commands to the end of the text. Throws ShellProblem. */
export function readProgram(reader: Reader): void {
  // Nothing closes it but the end of the text.
  readList(reader, { operators: [], words: [] });
  if (reader.pending.length > 0) fail(reader, "a here-document has no end");
}

/** Commands up to a closing parenthesis, which is left. Throws ShellProblem. */
export function readSubstitution(reader: Reader): void {
  readList(reader, { operators: [")"], words: [] });
  if (reader.at >= reader.text.length) fail(reader, "`(` is not closed");
}

function readList(reader: Reader, closing: Closing): void {
  for (;;) {
    skipLines(reader);
    if (isClosing(reader, closing)) return;
    readChain(reader, closing);
    if (isClosing(reader, closing)) return;
    const operator = peekOperator(reader);
    if (operator?.text === ";" || operator?.text === "&") reader.at = operator.end;
    else if (operator?.text !== "\n") unexpected(reader);
  }
}

/** Commands joined by `&&`, `||` and `|`. */
function readChain(reader: Reader, closing: Closing): void {
  for (let isPiped = false; ;) {
    readCommand(reader, isPiped);
    skipBlanks(reader);
    const operator = peekOperator(reader);
    if (operator === undefined || !joining.has(operator.text)) return;
    reader.at = operator.end;
    isPiped = operator.text === "|" || operator.text === "|&";
    skipLines(reader);
    if (isClosing(reader, closing)) fail(reader, `a command is missing behind \`${operator.text}\``);
  }
}
const joining: ReadonlySet<string> = new Set(["&&", "||", "|", "|&"]);

function isClosing(reader: Reader, { operators, words }: Closing): boolean {
  skipBlanks(reader);
  if (reader.at >= reader.text.length) return true;
  if (operators.length > 0 && operators.includes(peekOperator(reader)?.text ?? "")) return true;
  return words.length > 0 && words.includes(peekReserved(reader)?.text ?? "");
}

/** Blanks, comments and ends of lines; bodies of here-documents belong to these. */
function skipLines(reader: Reader): void {
  for (;;) {
    skipBlanks(reader);
    if (reader.text[reader.at] !== "\n") return;
    reader.at++;
    readDocuments(reader);
  }
}

function takeReserved(reader: Reader, ...words: readonly string[]): void {
  skipLines(reader);
  const found = peekReserved(reader);
  if (found === undefined || !words.includes(found.text)) {
    fail(reader, `\`${words[0]}\` is missing${atEnd(reader) ? " at the end" : ""}`);
  }
  reader.at = found.end;
}

function takeOperator(reader: Reader, text: string): void {
  skipBlanks(reader);
  const operator = peekOperator(reader);
  if (operator?.text !== text) fail(reader, `\`${text}\` is missing${atEnd(reader) ? " at the end" : ""}`);
  reader.at = operator.end;
}

function atEnd({ text, at }: Reader): boolean {
  return at >= text.length;
}

function unexpected(reader: Reader): never {
  if (atEnd(reader)) fail(reader, "the text ends too early");
  const sign = peekOperator(reader)?.text ?? peekReserved(reader)?.text ?? reader.text[reader.at]!;
  fail(reader, sign === "\n" ? "the line ends too early" : `\`${sign}\` is unexpected`);
}

/** Behind a pipe and `coproc`, `time` is a command like any other: `isPiped`. */
function readCommand(reader: Reader, isPiped = false): void {
  skipBlanks(reader);
  const { text } = reader;
  if (text[reader.at] === "(") {
    deeper(reader, () => readParentheses(reader));
    return readRedirections(reader);
  }
  const word = peekReserved(reader);
  if (word === undefined || (isPiped && word.text === "time")) return readSimple(reader);
  const read = compounds[word.text];
  if (read === undefined) unexpected(reader);
  if (reader.dialect === "posix" && bashOnly.has(word.text)) {
    fail(reader, `\`${word.text}\` means different things in different shells`);
  }
  reader.at = word.end;
  deeper(reader, () => read(reader));
}

const bashOnly: ReadonlySet<string> = new Set(["[[", "function", "select", "coproc"]);

const compounds: Readonly<Record<string, ((reader: Reader) => void) | undefined>> = {
  "!": readPrefixed,
  time: readTimed,
  coproc: (reader) => readCommand(reader, true),
  function: readFunction,
  "{": (reader) => readBlock(reader, "}"),
  if: readIf,
  while: readLoop,
  until: readLoop,
  for: readFor,
  select: readFor,
  case: readCase,
  "[[": readCondition,
};

/** `!` and `time` may stand alone. */
function readPrefixed(reader: Reader): void {
  skipBlanks(reader);
  const sign = reader.text[reader.at];
  const isAlone = sign === undefined || (isMeta(sign) && sign !== "(" && !startsRedirection(reader));
  if (!isAlone) readCommand(reader);
}

function readTimed(reader: Reader): void {
  for (;;) {
    skipBlanks(reader);
    const option = /^(?:-p|--)(?=[|&;()<> \t\n]|$)/.exec(reader.text.slice(reader.at, reader.at + 3));
    if (option === null) break;
    reader.at += option[0].length;
  }
  readPrefixed(reader);
}

function readParentheses(reader: Reader): void {
  const { text } = reader;
  const second = skipContinuations(text, reader.at + 1);
  if (text[second] === "(") {
    if (reader.dialect === "posix") fail(reader, "`((` means different things in different shells");
    reader.at = second + 1;
    return readArithmetic(reader);
  }
  reader.at++;
  readList(reader, { operators: [")"], words: [] });
  takeOperator(reader, ")");
}

/** A list and the word that closes it, then redirections. */
function readBlock(reader: Reader, end: string): void {
  readList(reader, { operators: [], words: [end] });
  takeReserved(reader, end);
  readRedirections(reader);
}

function readIf(reader: Reader): void {
  for (;;) {
    readList(reader, { operators: [], words: ["then"] });
    takeReserved(reader, "then");
    readList(reader, { operators: [], words: ["elif", "else", "fi"] });
    const next = peekReserved(reader);
    if (next?.text !== "elif") break;
    reader.at = next.end;
  }
  const next = peekReserved(reader);
  if (next?.text === "else") reader.at = next.end;
  readBlock(reader, "fi");
}

function readLoop(reader: Reader): void {
  readList(reader, { operators: [], words: ["do"] });
  takeReserved(reader, "do");
  readBlock(reader, "done");
}

function readFor(reader: Reader): void {
  skipBlanks(reader);
  if (reader.text[reader.at] === "(") {
    readParentheses(reader);
  } else {
    const draft = beginCommand(reader);
    const name = requireWord(reader).text;
    draft.assignments.push({ name, value: null, text: unknownText() });
    skipLines(reader);
    const next = peekReserved(reader);
    if (next?.text === "in") {
      reader.at = next.end;
      for (;;) {
        skipBlanks(reader);
        const sign = reader.text[reader.at];
        if (sign === undefined || (isMeta(sign) && !isProcessSubstitution(reader))) break;
        const word = readWord(reader, false);
        if (word.isHiding) addUnknown(reader);
        // A pattern gives names of files.
        noteValue(reader, name, word.pattern === null ? word.text : unknownText());
      }
    }
  }
  skipBlanks(reader);
  const operator = peekOperator(reader);
  if (operator?.text === ";") reader.at = operator.end;
  skipLines(reader);
  const body = peekReserved(reader);
  takeReserved(reader, "do", "{");
  readBlock(reader, body?.text === "{" ? "}" : "done");
}

function readCase(reader: Reader): void {
  skipBlanks(reader);
  requireWord(reader);
  takeReserved(reader, "in");
  for (;;) {
    skipLines(reader);
    if (atEnd(reader)) fail(reader, "`esac` is missing at the end");
    if (peekReserved(reader)?.text === "esac") break;
    if (reader.text[reader.at] === "(") reader.at++;
    for (;;) {
      skipBlanks(reader);
      requireWord(reader);
      skipBlanks(reader);
      const operator = peekOperator(reader);
      if (operator?.text !== "|") break;
      reader.at = operator.end;
    }
    takeOperator(reader, ")");
    readList(reader, { operators: [";;", ";&", ";;&"], words: ["esac"] });
    const end = peekOperator(reader);
    if (end === undefined) continue;
    if (reader.dialect === "posix" && end.text === ";;&") fail(reader, "`;;&` is bash's alone");
    reader.at = end.end;
  }
  takeReserved(reader, "esac");
  readRedirections(reader);
}

function requireWord(reader: Reader): Word {
  const sign = reader.text[reader.at];
  if (sign === undefined || (isMeta(sign) && !isProcessSubstitution(reader))) unexpected(reader);
  return readWord(reader, false);
}

/** `[[ ... ]]`: only the substitutions in its words matter. */
function readCondition(reader: Reader): void {
  const { text } = reader;
  let last = "";
  let isComputed = false;
  for (;;) {
    const before = reader.at;
    skipBlanks(reader);
    if (text.slice(before, reader.at).includes("#")) fail(reader, "`#` inside `[[` is read in two ways");
    const sign = text[reader.at];
    if (sign === undefined || sign === ";") fail(reader, "`[[` is not closed");
    if (isMeta(sign) && !isProcessSubstitution(reader)) {
      if (sign === "\n" && reader.pending.length + reader.outerPending > 0) {
        fail(reader, "a here-document begins inside `[[`");
      }
      reader.at++;
      continue;
    }
    const word = readWord(reader, false);
    if (word.isHiding) addUnknown(reader);
    if (word.isPlain && word.value === "]]") break;
    if (isComputed) noteUse(reader, word.text);
    if (last === "-v" || last === "-R") noteUse(reader, word.text, { isName: true });
    isComputed = /^-(?:eq|ne|lt|le|gt|ge)$/.test(word.text);
    if (isComputed) noteUse(reader, last);
    last = word.text;
  }
  readRedirections(reader);
}

function readFunction(reader: Reader): void {
  skipBlanks(reader);
  reader.shared.facts.defined.add(requireWord(reader).text);
  skipBlanks(reader);
  if (reader.text[reader.at] === "(") {
    reader.at++;
    takeOperator(reader, ")");
  }
  skipLines(reader);
  readCommand(reader);
}

/** Redirections of a compound command, kept as a command without words. */
function readRedirections(reader: Reader): void {
  let draft: Draft | undefined;
  for (;;) {
    skipBlanks(reader);
    if (!startsRedirection(reader)) {
      const numbered = /^(?:[0-9]{1,9}|\{[A-Za-z0-9_]{1,64}\})(?=[<>])/.exec(
        reader.text.slice(reader.at, reader.at + 67),
      );
      if (numbered === null) return;
      reader.at += numbered[0].length;
      if (isProcessSubstitution(reader)) unexpected(reader);
    }
    if (draft === undefined) {
      draft = beginCommand(reader);
      // `while read x; do ...; done <<E`.
      draft.readsInput = true;
    }
    readRedirection(reader, draft);
    if (draft.isHiding) addUnknown(reader, draft.place);
    draft.isHiding = false;
  }
}

/** Builtins whose arguments may be assignments of lists. */
const declaring: ReadonlySet<string | null> = new Set([
  "declare", "export", "local", "readonly", "typeset",
]); // prettier-ignore

function readSimple(reader: Reader): void {
  const sign = reader.text[reader.at];
  if (sign === undefined || (isMeta(sign) && !startsRedirection(reader) && !isProcessSubstitution(reader))) {
    unexpected(reader);
  }
  const index = reader.shared.commands.length;
  const draft = beginCommand(reader);
  const { argv } = draft;
  for (;;) {
    skipBlanks(reader);
    if (startsRedirection(reader)) {
      readRedirection(reader, draft);
      continue;
    }
    const next = reader.text[reader.at];
    if (next === undefined || (isMeta(next) && !isProcessSubstitution(reader))) break;
    const word = readWord(reader, argv.length === 0 || declaring.has(argv[0]!));
    draft.isHiding ||= word.isHiding;
    const isNumber = word.isPlain && /^(?:[0-9]+|\{\w+\})$/.test(word.value ?? "");
    const behind = reader.text[reader.at];
    if (isNumber && (behind === "<" || behind === ">")) continue;
    if (word.assignment !== null && argv.length === 0) {
      draft.assignments.push(word.assignment);
      noteValue(reader, word.assignment.name, word.assignment.text, word.isAppended);
    } else {
      argv.push(word.value);
      draft.patterns.push(word.pattern);
      draft.texts.push(word.text);
    }
    if (argv.length > shellLimits.wordsPerCommand) fail(reader, "a command has too many words");
    if (argv.length === 1 && draft.redirections.length === 0 && isFunctionNext(reader)) {
      reader.shared.commands.splice(index, 1);
      reader.shared.facts.defined.add(draft.texts[0]!);
      return readFunctionBody(reader);
    }
  }
  if (draft.isHiding && !computesNothing(argv)) addUnknown(reader, draft.place);
  readInnerCommands(reader, draft);
}

function isFunctionNext(reader: Reader): boolean {
  skipBlanks(reader);
  return reader.text[reader.at] === "(";
}

function readFunctionBody(reader: Reader): void {
  reader.at++;
  takeOperator(reader, ")");
  skipLines(reader);
  deeper(reader, () => readCommand(reader));
}
