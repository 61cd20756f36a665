/**
 * Reads a shell program and lists every simple command in it, those in substitutions, here-documents and behind `bash -c`,
 * `xargs`, `sudo` and their kind too, so that each can be judged. In time linear in the text, whatever the text.
 *
 * What would be read differently by different shells or settings is not guessed: it is unparsable, and that asks a person.
 * The language: POSIX.1-2024, XCU chapter 2, and bash 5.2 where the dialect is `bash`.
 */
import { readDocumentBody } from "./shell-expansions.ts";
import { readProgram, readSubstitution } from "./shell-grammar.ts";
import { findUnknownNumber } from "./shell-numbers.ts";
import { addUnknown, createFacts, fail, findLineStarts, shellLimits, ShellProblem } from "./shell-reader.ts";
import type { Dialect, InnerText, Place, Reader, Shared, SimpleCommand } from "./shell-reader.ts";

export type { Assignment, Dialect, Place, Redirection, SimpleCommand } from "./shell-reader.ts";

export type ShellResult =
  | { readonly kind: "commands"; readonly commands: readonly SimpleCommand[] }
  | {
      readonly kind: "unparsable";
      readonly line: number;
      readonly column: number;
      /** Half a sentence: "a double quote is not closed". */
      readonly reason: string;
      /** What was found before: a shell runs it although it cannot read the rest. */
      readonly commands: readonly SimpleCommand[];
    };

export interface ShellOptions {
  readonly dialect?: Dialect;
  /** Where the text stands when it is part of another one; every command then has this place. */
  readonly place?: Place;
}

/**
 * Never throws. Commands come in the order in which they begin, those behind `xargs` and its kind after their wrapper.
 * Bounds: 1 MiB of text, 20,000 commands, 100 open constructs, 8 texts inside texts; beyond them it is unparsable.
 */
export function parseShell(text: string, options: ShellOptions = {}): ShellResult {
  const shared: Shared = { commands: [], facts: createFacts(), budget: 4 * text.length + 65_536 };
  const reader = createReader(text, options, shared);
  try {
    if (text.length > shellLimits.textLength) fail(reader, "it is longer than 1 MiB");
    const nul = text.indexOf("\0");
    if (nul >= 0) {
      reader.at = nul;
      fail(reader, "it holds a NUL, which shells leave out");
    }
    readProgram(reader);
    const place = findUnknownNumber(shared);
    if (place !== undefined) addUnknown(reader, place);
    return { kind: "commands", commands: shared.commands };
  } catch (error) {
    /* v8 ignore next -- only a fault of this parser gets here, and it must not pass for a text that cannot be read */
    if (!(error instanceof ShellProblem)) throw error;
    return { kind: "unparsable", ...error.place, reason: error.message, commands: shared.commands };
  }
}

function createReader(text: string, options: ShellOptions, shared: Shared): Reader {
  return {
    text,
    dialect: options.dialect ?? "bash",
    at: 0,
    depth: 0,
    pending: [],
    outerPending: 0,
    isDocument: false,
    textDepth: 0,
    place: options.place ?? null,
    lineStarts: options.place === undefined ? findLineStarts(text) : [],
    shared,
    readSubstitution,
    readText: (outer, inner, given) =>
      readProgram(createInner(outer, inner, { ...given, isDocument: false })),
    readDocument: (outer, body, place) =>
      readDocumentBody(createInner(outer, body, { place, dialect: outer.dialect, isDocument: true })),
  };
}

function createInner(
  outer: Reader,
  text: string,
  { isDocument, ...options }: InnerText & { readonly isDocument: boolean },
): Reader {
  const textDepth = outer.textDepth + 1;
  if (textDepth > shellLimits.textDepth) fail(outer, "texts are nested in texts too deeply");
  outer.shared.budget -= text.length;
  if (outer.shared.budget < 0) fail(outer, "texts are nested in texts too often");
  return { ...createReader(text, options, outer.shared), isDocument, textDepth, depth: outer.depth };
}
