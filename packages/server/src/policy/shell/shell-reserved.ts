/** The reserved words of the shell language (POSIX.1-2024, XCU 2.4, and those of bash). */
import { isMeta, skipContinuations } from "./shell-reader.ts";
import type { Reader } from "./shell-reader.ts";

const reserved: ReadonlySet<string> = new Set([
  "!", "{", "}", "[[", "if", "then", "elif", "else", "fi", "do", "done", "case", "esac", "while", "until", "for",
  "select", "in", "function", "time", "coproc",
]); // prettier-ignore

export function isReserved(word: string): boolean {
  return reserved.has(word);
}

/** A reserved word at this place, were a command to begin here. Bounded by the longest one. */
export function peekReserved({
  text,
  at: from,
}: Reader): { readonly text: string; readonly end: number } | undefined {
  let word = "";
  for (let at = skipContinuations(text, from); ; at = skipContinuations(text, at)) {
    const sign = text[at];
    if (sign === undefined || isMeta(sign)) return reserved.has(word) ? { text: word, end: at } : undefined;
    // `!(` is a subshell unless extended patterns are on, and those only make it a name.
    word += sign;
    at++;
    if (word.length > 8 || !/[a-z!{}[]/.test(sign)) return undefined;
  }
}
