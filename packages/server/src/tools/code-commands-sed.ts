/** Reads the scripts of `sed` for what starts programs and what writes files. */
import { optionNamed } from "./code-commands-options.ts";

export interface SedFindings {
  /** `e` and `s///e` start programs; a script in a file, or one that cannot be read, may. */
  readonly startsPrograms: boolean;
  /** Files of `w`, `W` and `s///w`, and those that `-i` changes. */
  readonly written: readonly string[];
}

/** `words`: behind the name, as in `SimpleCommand.texts`. Source: the manual of GNU sed 4.9. Linear in the words. */
export function readSed(words: readonly string[]): SedFindings {
  const scripts: string[] = [];
  const operands: string[] = [];
  let isInPlace = false;
  let hasFile = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      operands.push(...words.slice(at + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) operands.push(word);
    else if (word.startsWith("--")) {
      const option = optionNamed(word, longOptions);
      // Behind an operand, whether it still is an option depends on the settings.
      if (option === "sandbox" && operands.length === 0) return { startsPrograms: false, written: [] };
      if (option === "in-place") isInPlace = true;
      if (option === "file") hasFile = true;
      const takesNext = !word.includes("=") && /^(?:expression|file|line-length)$/.test(option ?? "");
      const value = takesNext ? (words[++at] ?? "") : word.slice(word.indexOf("=") + 1);
      if (option === "expression") scripts.push(value);
    } else {
      const letters = /^-[bnErsuz]*([iefl]?)(.*)$/s.exec(word);
      const [, letter = "?", attached = ""] = letters ?? [];
      if (letter === "" && attached !== "") return unreadable;
      if (letter === "i") isInPlace = true;
      if (letter === "f") hasFile = true;
      const value = /[efl]/.test(letter) && attached === "" ? (words[++at] ?? "") : attached;
      if (letter === "e") scripts.push(value);
    }
  }
  if (hasFile) return unreadable;
  if (scripts.length === 0) scripts.push(operands.shift() ?? "");
  const found = readScript(scripts.join("\n"));
  return { ...found, written: isInPlace ? [...found.written, ...operands] : found.written };
}

const longOptions = [
  "expression", "file", "line-length", "in-place", "sandbox", "quiet", "silent", "debug", "follow-symlinks", "null-data", "posix",
  "regexp-extended", "separate", "unbuffered", "zero-terminated", "binary", "help", "version",
]; // prettier-ignore

const unreadable: SedFindings = { startsPrograms: true, written: [] };

interface Script {
  readonly text: string;
  at: number;
}

function readScript(text: string): SedFindings {
  const script: Script = { text, at: 0 };
  const written: string[] = [];
  const isContinued = text.includes("\\\n");
  while (skip(script, /[\s;{}]/)) {
    if (!skipAddresses(script)) return unreadable;
    skip(script, /[\s!]/);
    const command = text[script.at++] ?? "";
    if (/[{}#:btTlLqQaicrRvwW]/.test(command)) {
      // A label ends with a blank, a semicolon or the line, for each sed to say: what follows must not reach the next line.
      if (isContinued && /[:btT]/.test(command)) return unreadable;
      const file = takeArgument(script, command);
      if (/[wW]/.test(command)) written.push(file);
    } else if (command === "s" || command === "y") {
      if (!readSubstitution(script, command, written)) return unreadable;
    } else if (!/^[=dDgGhHnNpPxzF]$/.test(command)) return unreadable;
  }
  return { startsPrograms: false, written };
}

/** Leaves signs of the kind behind; false at the end. */
function skip(script: Script, signs: RegExp): boolean {
  while (signs.test(script.text[script.at] ?? "")) script.at++;
  return script.at < script.text.length;
}

/** `1`, `$`, `/x/I`, `\,x,`, `1~2`, `1,+3`, `1,/x/`; false when they cannot be read. */
function skipAddresses(script: Script): boolean {
  for (;;) {
    const sign = script.text[script.at] ?? "";
    if (sign === "/" || sign === "\\") {
      if (sign === "\\") script.at++;
      if (!skipDelimited(script, true)) return false;
      skip(script, /[IM]/);
    } else if (/[\d$~+, \t]/.test(sign)) script.at++;
    // A number that is only known at run time: `"${n}d"`.
    else if (sign === "\0") script.at = endOfUnknown(script);
    else return true;
  }
}

function endOfUnknown({ text, at }: Script): number {
  const end = text.indexOf("\0", at + 1);
  return end < 0 ? text.length : end + 1;
}

/** From a delimiter to behind the next one that no backslash and, in a pattern, no bracket hides. */
function skipDelimited(script: Script, isPattern: boolean): boolean {
  const { text } = script;
  const delimiter = text[script.at++];
  if (delimiter === undefined || /[\s\\]/.test(delimiter)) return false;
  for (; script.at < text.length; script.at++) {
    const sign = text[script.at]!;
    if (sign === delimiter) {
      script.at++;
      return true;
    }
    // No part goes on in the next line by itself.
    if (sign === "\n") return false;
    if (sign === "\\") script.at++;
    else if (sign === "[" && isPattern) {
      const end = endOfSet(text, script.at);
      if (end === undefined) return false;
      script.at = end;
    }
  }
  return false;
}

/** Where `[a-z]`, `[^]/]` or `[[:digit:]_]` ends; a delimiter counts for nothing in it. */
function endOfSet(text: string, from: number): number | undefined {
  // `[]x]` and `[^]x]` begin with a bracket that is one of the set.
  let at = from + /^\[\^?\]?/.exec(text.slice(from, from + 3))![0].length;
  for (; ; at++) {
    const sign = text[at];
    if (sign === "]") return at;
    // A backslash before the bracket is read in two ways.
    if (sign === undefined || sign === "\n" || (sign === "\\" && text[at + 1] === "]")) return undefined;
    const kind = text[at + 1] ?? "";
    if (sign !== "[" || !/[:.=]/.test(kind)) continue;
    const end = text.indexOf(`${kind}]`, at + 2);
    if (end < 0) return undefined;
    at = end + 1;
  }
}

/** `s/x/y/flags` and `y/x/y/`; false when it starts a program or cannot be read. */
function readSubstitution(script: Script, command: string, written: string[]): boolean {
  const { text } = script;
  if (!skipDelimited(script, command === "s")) return false;
  // The second part begins where the first one ends.
  script.at--;
  if (!skipDelimited(script, false)) return false;
  if (command === "y") return true;
  for (; ; script.at++) {
    const flag = text[script.at] ?? "";
    if (flag === "w") {
      script.at++;
      written.push(takeArgument(script, "w"));
      return true;
    }
    if (!/[gpiImM\d]/.test(flag)) return flag === "" || /[\s;}#]/.test(flag);
  }
}

/** What follows a command: a file or label to the end of the line, a text that may go over several lines. */
function takeArgument(script: Script, command: string): string {
  const { text } = script;
  if (/[{}lLqQv]/.test(command)) return "";
  skip(script, /[ \t]/);
  const from = script.at;
  const end = /[:btT]/.test(command) ? /[\s;}]/ : /\n/;
  for (; script.at < text.length; script.at++) {
    const sign = text[script.at]!;
    if (end.test(sign)) break;
    if (sign === "\\" && /[aic]/.test(command)) script.at++;
  }
  return text.slice(from, script.at);
}
