/** Reads `$'...'`, the quotes in which backslashes mean signs, as bash and POSIX.1-2024 (XCU 2.2.4) have them. */
import { fail } from "./shell-reader.ts";
import type { Reader, WordDraft } from "./shell-reader.ts";

const ansiEscapes: Readonly<Record<string, string>> = {
  a: "\x07", b: "\b", e: "\x1b", E: "\x1b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v",
}; // prettier-ignore

/** The reader stands behind `$'` and is left behind the closing quote. */
export function readAnsi(reader: Reader, word: WordDraft): void {
  const { text } = reader;
  const start = reader.at;
  for (;;) {
    const sign = text[reader.at];
    if (sign === undefined) {
      reader.at = start;
      fail(reader, "a single quote is not closed");
    }
    reader.at++;
    if (sign === "'") return;
    if (sign === "\\") readAnsiEscape(reader, word);
    else word.text += sign;
  }
}

function readAnsiEscape(reader: Reader, word: WordDraft): void {
  const sign = reader.text[reader.at] ?? "";
  const ahead = reader.text.slice(reader.at, reader.at + 9);
  const digits = /^(?:[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8})/.exec(ahead)?.[0];
  if (digits !== undefined) {
    reader.at += digits.length;
    const code = /[xuU]/.test(sign) ? parseInt(digits.slice(1), 16) : parseInt(digits, 8) & 255;
    // Bytes beyond ASCII are pieces of characters, and NUL ends the text early.
    const isByte = sign !== "u" && sign !== "U";
    if (code === 0 || code > 0x10ffff || (isByte && code > 127)) word.isUnknown = true;
    else word.text += String.fromCodePoint(code);
    return;
  }
  reader.at++;
  if (sign === "c") {
    reader.at++;
    word.isUnknown = true;
  } else word.text += ansiEscapes[sign] ?? (/[\\'"?]/.test(sign) ? sign : `\\${sign}`);
}
