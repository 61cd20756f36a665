/** Reads programs of `awk` for what starts other programs, opens connections or writes files. */
import { optionNamed } from "./code-commands-options.ts";

export interface AwkFindings {
  /** `system()`, pipes, `@load` and calls by name; programs in files, or only known at run time, may. */
  readonly startsPrograms: boolean;
  /** `/inet/tcp/...`. */
  readonly usesNetwork: boolean;
  /** Files named behind `>`. */
  readonly written: readonly string[];
}

/** `words`: behind the name, as in `SimpleCommand.texts`. Source: the manual of gawk 5.2. Linear in the words. */
export function readAwk(words: readonly string[]): AwkFindings {
  const programs: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      programs.push(words[at + 1] ?? "");
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (programs.length === 0) programs.push(word);
      break;
    }
    const option = word.startsWith("--") ? readLong(word) : readLetters(word);
    if (option === null) return unreadable;
    if (option === "flag") continue;
    const value = option.attached ?? words[++at] ?? "";
    if (option.isProgram) programs.push(value);
  }
  const program = programs.join("\n");
  // The first thing it does is only known at run time.
  return program.startsWith("\0") ? unreadable : readProgram(program);
}

/** One with a value, which is the next word unless it is attached. */
interface ValueOption {
  readonly isProgram: boolean;
  readonly attached: string | undefined;
}

/** Null for files with programs, what loads others, and all that is not known. */
function readLong(word: string): ValueOption | "flag" | null {
  const name = optionNamed(word, longOptions);
  if (name === undefined) return null;
  if (!/^(?:assign|field-separator|source)$/.test(name)) return "flag";
  const equals = word.indexOf("=");
  return { isProgram: name === "source", attached: equals < 0 ? undefined : word.slice(equals + 1) };
}

function readLetters(word: string): ValueOption | "flag" | null {
  const [, letter = "", attached = ""] = /^-[bcCghIknNMOPrsStV]*(.?)(.*)$/s.exec(word) ?? [];
  if (letter === "" || letter === "L") return "flag";
  if (!/[Fve]/.test(letter)) return null;
  return { isProgram: letter === "e", attached: attached === "" ? undefined : attached };
}

const longOptions = [
  "assign", "bignum", "characters-as-bytes", "copyright", "csv", "field-separator", "help", "lint-old", "lint", "non-decimal-data",
  "no-optimize", "optimize", "posix", "re-interval", "sandbox", "source", "traditional", "use-lc-numeric", "version",
]; // prettier-ignore

const unreadable: AwkFindings = { startsPrograms: true, usesNetwork: false, written: [] };

/**
 * Texts, patterns between slashes, comments and the signs between them. A slash is a division behind a value; behind
 * `getline` it is taken for one too, so that a pipe behind it is never hidden.
 */
function readProgram(program: string): AwkFindings {
  const token = /"(?:[^"\\\n]|\\[^])*"|#[^\n]*|[A-Za-z_]\w*|\d[\w.]*|\s+|\|\||\+\+|--|[^]/gy;
  const pattern = /\/(?:[^/\\\n]|\\.)*\//y;
  const written: string[] = [];
  let usesNetwork = false;
  let before = "";
  for (;;) {
    const at = token.lastIndex;
    const found = token.exec(program)?.[0];
    if (found === undefined) return { startsPrograms: false, usesNetwork, written };
    if (/^[\s#]/.test(found)) continue;
    // A quote that is alone is one that nothing closes.
    if (/^(?:[|@"]|system)$/.test(found)) return unreadable;
    // Where a number ends before a name is for each awk to say: `1system("x")`.
    if (/^\d/.test(found) && found.includes("system")) return unreadable;
    if (found === "/" && !isValue(before)) {
      pattern.lastIndex = at;
      if (!pattern.test(program)) return unreadable;
      token.lastIndex = pattern.lastIndex;
      before = ")";
      continue;
    }
    if (found.startsWith('"')) {
      const text = found.slice(1, -1);
      if (text.startsWith("/inet")) usesNetwork = true;
      if (before === ">") written.push(text);
    }
    before = found;
  }
}

/** Behind a value, `/` divides. */
function isValue(before: string): boolean {
  if (/^(?:print|printf|return|else|do)$/.test(before)) return false;
  return /^(?:[\w")\]$\0]|\+\+|--)/.test(before);
}
