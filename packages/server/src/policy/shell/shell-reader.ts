/** Where a shell parser stands in its text, what it has found, and the signs that every part of it needs. */

/** Lines and columns from 1; a command inside a quoted text (`bash -c '...'`) has the place of the outer command. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One simple command. A word that the shell only knows when it runs is null. */
export interface SimpleCommand {
  readonly argv: readonly (string | null)[];
  /** For each word of `argv`: its text when file name patterns (`*.txt`) are all that is unknown of it, else null. */
  readonly patterns: readonly (string | null)[];
  /** The words as far as they are known: what is not stands between two U+0000, `$name` with its name, all else as nothing. */
  readonly texts: readonly string[];
  readonly assignments: readonly Assignment[];
  readonly redirections: readonly Redirection[];
  readonly place: Place;
}

export interface Assignment {
  readonly name: string;
  readonly value: string | null;
  /** As in `texts` of the command. */
  readonly text: string;
}

export interface Redirection {
  /** As written, without the number in front: `>`, `2>>` is `>>`, `<<-`. */
  readonly operator: string;
  /** The file, the number, or what a here-document or here-string holds; null when only known at run time. */
  readonly target: string | null;
  /** As in `texts` of the command; null for here-documents. */
  readonly text: string | null;
}

/** `posix`: the text is for any `sh`, so what shells read differently is not parsed. */
export type Dialect = "bash" | "posix";

/** A command while it is read. */
export interface Draft {
  readonly argv: (string | null)[];
  readonly patterns: (string | null)[];
  readonly texts: string[];
  readonly assignments: Assignment[];
  readonly redirections: { readonly operator: string; target: string | null; text: string | null }[];
  readonly place: Place;
  /** A word holds `a[$(x)]`, see `hidesSubstitution`. */
  isHiding: boolean;
  /** The shell itself may read its input into variables, which may be computed with later. */
  readsInput: boolean;
}

/** What is known of a word while it is read. */
export interface WordDraft {
  text: string;
  isUnknown: boolean;
  isPattern: boolean;
  isPlain: boolean;
  /** Of an assignment; `valueFrom` counts in `text`. */
  name: string | null;
  valueFrom: number;
  /** Unquoted `{`, then `,` or `..`: with `}` it is several words. */
  brace: "none" | "open" | "list";
  hasBracket: boolean;
  /** An element of a list holds `a[$(x)]`. */
  isHiding: boolean;
  /** `name+=value`. */
  isAppended: boolean;
}

/** A here-document whose body begins after the end of the line. */
export interface PendingDocument {
  readonly delimiter: string;
  readonly isQuoted: boolean;
  readonly stripsTabs: boolean;
  readonly redirection: { target: string | null };
  readonly draft: Draft;
  readonly place: Place;
  /** Set when the command is a shell that runs the body. */
  runs: Dialect | null;
}

export interface Reader {
  readonly text: string;
  readonly dialect: Dialect;
  at: number;
  /** How many constructs are open. */
  depth: number;
  pending: PendingDocument[];
  /** Here-documents of the command around a substitution: their bodies cannot begin inside it. */
  outerPending: number;
  /** The text is a here-document: only expansions count in it. */
  readonly isDocument: boolean;
  /** How many texts inside texts this is. */
  readonly textDepth: number;
  /** Null: the place is counted in this text. */
  readonly place: Place | null;
  readonly lineStarts: readonly number[];
  readonly shared: Shared;
  /** Reads commands up to a closing parenthesis, which is left; here so that words need not import the grammar. */
  readonly readSubstitution: (reader: Reader) => void;
  /** Reads a text inside the text. */
  readonly readText: (reader: Reader, text: string, options: InnerText) => void;
  /** Reads a here-document's body for its substitutions; answers what it holds, null when only known at run time. */
  readonly readDocument: (reader: Reader, body: string, place: Place) => string | null;
}

export interface InnerText {
  readonly dialect: Dialect;
  /** Of the command that holds the text. */
  readonly place: Place;
}

/** What a program does with variables, collected while it is read. Texts are as in `SimpleCommand.texts`. */
export interface Facts {
  readonly values: Value[];
  readonly uses: Use[];
  /** Names of functions and aliases: they may stand for a program of the same name. */
  readonly defined: Set<string>;
}

export interface Value {
  readonly name: string;
  readonly text: string;
  /** `name+=text`. */
  readonly isAppended: boolean;
  readonly place: Place;
}

export interface Use {
  readonly text: string;
  /** The text is a variable's name, of which only a subscript is a number. */
  readonly isName: boolean;
  readonly place: Place;
}

export function createFacts(): Facts {
  return { values: [], uses: [], defined: new Set() };
}

export interface Shared {
  readonly commands: Draft[];
  readonly facts: Facts;
  /** Characters of texts inside texts that may still be read: `eval eval eval ...` must not cost its square. */
  budget: number;
}

export const shellLimits = {
  textLength: 1_048_576,
  commands: 20_000,
  depth: 100,
  textDepth: 8,
  wordsPerCommand: 50_000,
} as const;

/** Thrown and caught inside the parser only. */
export class ShellProblem extends Error {
  readonly place: Place;
  constructor(place: Place, reason: string) {
    super(reason);
    this.place = place;
  }
}

export function fail(reader: Reader, reason: string): never {
  throw new ShellProblem(placeOf(reader), reason);
}

export function placeOf(reader: Reader, offset: number = reader.at): Place {
  if (reader.place !== null) return reader.place;
  let low = 0;
  for (let high = reader.lineStarts.length; high - low > 1;) {
    const middle = (low + high) >> 1;
    if (reader.lineStarts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - reader.lineStarts[low]! + 1 };
}

/** Offsets at which lines begin. */
export function findLineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return starts;
}

export function beginCommand(reader: Reader): Draft {
  const draft = createCommand(placeOf(reader));
  keepCommand(reader, draft);
  return draft;
}

export function createCommand(place: Place): Draft {
  return {
    argv: [],
    patterns: [],
    texts: [],
    assignments: [],
    redirections: [],
    place,
    isHiding: false,
    readsInput: false,
  };
}

export function keepCommand(reader: Reader, draft: Draft): void {
  const { commands } = reader.shared;
  if (commands.length >= shellLimits.commands) {
    fail(reader, `there are more than ${shellLimits.commands} commands`);
  }
  commands.push(draft);
}

/** Something runs here that cannot be known from the text. */
export function addUnknown(reader: Reader, place: Place = placeOf(reader)): void {
  keepCommand(reader, { ...createCommand(place), argv: [null], patterns: [null], texts: [unknownText()] });
}

/** How `texts` show what is only known at run time; `name` for a plain `$name`. A text holds no other U+0000. */
export function unknownText(name: string = ""): string {
  return `\0${name}\0`;
}

/** A text that is computed, or the name of a variable, which may have a subscript. */
export function noteUse(
  reader: Reader,
  text: string,
  { isName = false, place = placeOf(reader) } = {},
): void {
  if (/[A-Za-z_\0]/.test(text)) reader.shared.facts.uses.push({ text, isName, place });
}

export function noteValue(reader: Reader, name: string, text: string, isAppended = false): void {
  reader.shared.facts.values.push({ name, text, isAppended, place: placeOf(reader) });
}

/** Runs `read` one construct deeper. */
export function deeper(reader: Reader, read: () => void): void {
  if (++reader.depth > shellLimits.depth) fail(reader, "it is nested too deeply");
  read();
  reader.depth--;
}

export function isMeta(sign: string): boolean {
  return metaSigns.has(sign);
}
const metaSigns: ReadonlySet<string> = new Set("|&;()<> \t\n");

/** A backslash before the end of a line joins the lines anywhere, even inside `&&` or `$(`. */
export function skipContinuations(text: string, offset: number): number {
  let at = offset;
  while (text[at] === "\\" && text[at + 1] === "\n") at += 2;
  return at;
}

/** Blanks, joined lines and a comment; stays in the line. */
export function skipBlanks(reader: Reader): void {
  const { text } = reader;
  for (;;) {
    const sign = text[reader.at];
    if (sign === " " || sign === "\t") reader.at++;
    else if (sign === "\\" && text[reader.at + 1] === "\n") reader.at += 2;
    else if (sign === "#") {
      const end = text.indexOf("\n", reader.at);
      reader.at = end < 0 ? text.length : end;
    } else return;
  }
}

/** `<(` or `>(`: a process substitution, which is a word. */
export function isProcessSubstitution({ text, at }: Reader): boolean {
  const sign = text[at];
  return (sign === "<" || sign === ">") && text[skipContinuations(text, at + 1)] === "(";
}

const operators: ReadonlySet<string> = new Set([
  "&", "&&", "&>", "&>>", "|", "||", "|&", ";", ";;", ";&", ";;&", "(", ")",
  "<", "<<", "<<-", "<<<", "<&", "<>", ">", ">>", ">&", ">|", "\n",
]); // prettier-ignore

/** The longest operator here and where it ends; undefined in front of a word or at the end. */
export function peekOperator(reader: Reader): { readonly text: string; readonly end: number } | undefined {
  const { text } = reader;
  let found: { text: string; end: number } | undefined;
  let joined = "";
  for (let at = reader.at; joined.length < 3; at = skipContinuations(text, at)) {
    const sign = text[at];
    if (sign === undefined || !operators.has(joined + sign)) break;
    joined += sign;
    found = { text: joined, end: ++at };
  }
  return found;
}
