/** Finds the commands inside commands: what `sudo`, `xargs`, `find -exec`, `bash -c`, `eval` and their kind will run. */
import { addUnknown, createCommand, fail, keepCommand, shellLimits, unknownText } from "./shell-reader.ts";
import type { Dialect, Draft, Reader } from "./shell-reader.ts";
import { holdsSubstitution } from "./shell-hidden.ts";
import { commandName } from "./shell-names.ts";
import { isReserved } from "./shell-reserved.ts";
import { readOptions, wrappers } from "./shell-wrapper-options.ts";
import type { Wrapper } from "./shell-wrapper-options.ts";

type Words = readonly (string | null)[];

/** Adds what `draft` will run to the commands found. The reader stands behind the command. */
export function readInnerCommands(reader: Reader, draft: Draft, level = 0): void {
  const name = commandName(draft.argv);
  if (name === null) return;
  if (level > shellLimits.textDepth) fail(reader, "commands are nested in commands too deeply");
  const inner = { reader, draft, level };
  const shell = shells[name];
  if (shell !== undefined) return readShell(inner, shell);
  const special = specials[name];
  if (special !== undefined) return special(inner);
  const wrapper = wrappers[name];
  if (wrapper !== undefined) readWrapped(inner, wrapper);
}

interface Inner {
  readonly reader: Reader;
  readonly draft: Draft;
  readonly level: number;
}

const shells: Readonly<Record<string, Dialect | undefined>> = {
  sh: "posix", dash: "posix", ash: "posix", ksh: "posix", mksh: "posix", zsh: "posix", fish: "posix",
  bash: "bash", rbash: "bash",
}; // prettier-ignore

const specials: Readonly<Record<string, ((inner: Inner) => void) | undefined>> = {
  eval: (inner) =>
    readJoined(inner, inner.draft.argv.slice(skipDashes(inner.draft.argv)), inner.reader.dialect),
  source: ({ reader, draft }) => addUnknown(reader, draft.place),
  trap: readTrap,
  alias: readAliases,
  mapfile: readCallback,
  readarray: readCallback,
  find: readFind,
  jobs: readJobs,
  ...Object.fromEntries(
    ["declare", "typeset", "local", "export", "readonly"].map((name) => [name, readDeclared]),
  ),
  read: markInputRead,
};

/** Words of a command that are another command's. */
interface Given {
  readonly from: number;
  readonly to: number;
  /** What is replaced in them by what is only known at run time. */
  readonly replaced: string | null;
  /** Words that are only known at run time come behind them. */
  readonly hasMore: boolean;
}

/** Another simple command, with the place of the outer one. */
function addCommand({ reader, draft, level }: Inner, { from, to, replaced, hasMore }: Given): void {
  const { redirections, place } = draft;
  const command: Draft = { ...createCommand(place), redirections };
  for (let at = from; at < to; at++) {
    const isReplaced = replaced !== null && draft.argv[at]?.includes(replaced) === true;
    command.argv.push(isReplaced ? null : draft.argv[at]!);
    command.patterns.push(draft.patterns[at]!);
    command.texts.push(isReplaced ? draft.texts[at]!.replaceAll(replaced, unknownText()) : draft.texts[at]!);
  }
  if (command.argv.length === 0) return;
  if (hasMore) {
    command.argv.push(null);
    command.patterns.push(null);
    command.texts.push(unknownText());
  }
  keepCommand(reader, command);
  readInnerCommands(reader, command, level + 1);
}

function readText({ reader, draft }: Inner, text: string | null, dialect: Dialect): void {
  if (text === null) return addUnknown(reader, draft.place);
  reader.readText(reader, text, { dialect, place: draft.place });
}

function readJoined(inner: Inner, words: Words, dialect: Dialect): void {
  if (words.length === 0) return;
  readText(inner, words.includes(null) ? null : words.join(" "), dialect);
}

function skipDashes(argv: Words): number {
  return argv[1] === "--" ? 2 : 1;
}

/** `sh -c text`, `sh file`, `sh` with commands from its input. */
function readShell(inner: Inner, dialect: Dialect): void {
  const { reader, draft } = inner;
  const { argv } = draft;
  let at = 1;
  let isText = false;
  let isInput = false;
  for (; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === null) return addUnknown(reader, draft.place);
    if (at === 1 && (word === "--version" || word === "--help")) return;
    if (word === "--" || word === "-") {
      at++;
      break;
    }
    // Bash takes long names behind one dash too, other shells read letters there.
    if (oneDash.test(word)) return addUnknown(reader, draft.place);
    if (word.startsWith("--")) {
      // Another one may name a file, be a text, or take the next word.
      if (!harmlessLong.test(word)) return addUnknown(reader, draft.place);
      continue;
    }
    if (!/^[-+][A-Za-z]/.test(word)) break;
    if (word.startsWith("-") && word.includes("c")) isText = true;
    // What follows `-o` is its value for some shells, and letters for others.
    if (/[oO][^oO]/.test(word)) return addUnknown(reader, draft.place);
    // `-o` and `-O` take a word each, which follows all letters.
    at += word.replace(/[^oO]/g, "").length;
    // Fish runs the text of `-C` before that of `-c`.
    if (word.startsWith("-") && /^fish$/.test(commandName(argv) ?? "") && word.includes("C"))
      return addUnknown(reader, draft.place);
    if (word.slice(1).includes("s")) isInput = true;
  }
  if (isText) return at < argv.length ? readText(inner, argv[at]!, dialect) : undefined;
  // With `-s` they are the parameters.
  if (at < argv.length && !isInput) return addUnknown(reader, draft.place);
  readInput(inner, dialect);
}

const oneDash =
  /^-(?:debug|debugger|dump-(?:po-)?strings|help|init-file|login|noediting|noprofile|norc|posix|pretty-print|protected|rcfile|restricted|verbose|version|wordexp)$/;

const harmlessLong =
  /^--(?:login|noediting|noprofile|norc|posix|restricted|verbose|no-config|private|no-rcs|dump-(?:po-)?strings)$/;

/** Commands from the standard input: known when it is a here-document. */
function readInput(inner: Inner, dialect: Dialect): void {
  const input = inner.draft.redirections.findLast(({ operator }) => operator.startsWith("<"));
  // The body of a here-document is read later, at the end of the line.
  const pending = inner.reader.pending.find(({ redirection }) => redirection === input);
  if (pending !== undefined) pending.runs = dialect;
  else readText(inner, input?.operator === "<<<" ? input.target : null, dialect);
}

function readTrap(inner: Inner): void {
  const argv = inner.draft.argv;
  const at = skipDashes(argv);
  const action = argv[at];
  if (action === undefined || action === "" || action === "-" || argv.length === at + 1) return;
  if (action !== null && /^-[lpP]+$/.test(action)) return;
  readText(inner, action, inner.reader.dialect);
}

function readAliases(inner: Inner): void {
  for (const word of inner.draft.argv.slice(1)) {
    if (word === null || changesReading(word)) addUnknown(inner.reader, inner.draft.place);
    else if (word.includes("=")) {
      // Where the alias is used, more words follow.
      readText(inner, `${word.slice(word.indexOf("=") + 1)} "$@"`, inner.reader.dialect);
    }
  }
}

/**
 * An alias that changes how the text behind it is read: a comment or a backslash that takes what follows, as `z='#'` takes
 * the `<<E` of a here-document, or the name of a word of the grammar.
 */
function changesReading(word: string): boolean {
  const [, name, body] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  if (name === undefined || body === undefined) return false;
  return !/^[\w.,:@%+-]+$/.test(name) || isReserved(name) || /#|<<|\\$/.test(body);
}

/** `declare -a 'x=($(y))'`: a list is expanded out of quotes too. */
function readDeclared({ reader, draft }: Inner): void {
  if (draft.texts.some((text) => text.includes("=(") && holdsSubstitution(text)))
    addUnknown(reader, draft.place);
}

/** `jobs -x command`. */
function readJobs(inner: Inner): void {
  const { argv } = inner.draft;
  const at = argv.indexOf("-x");
  if (at >= 0) addCommand(inner, { from: at + 1, to: argv.length, replaced: null, hasMore: false });
}

/** A here-document that `read` and its kind put into variables. */
function markInputRead({ draft }: Inner): void {
  draft.readsInput = true;
}

/** `mapfile -C command`. */
function readCallback(inner: Inner): void {
  markInputRead(inner);
  const { argv } = inner.draft;
  argv.forEach((word, index) => {
    if (word === null || (/^-\w*C/.test(word) && !word.endsWith("C")))
      addUnknown(inner.reader, inner.draft.place);
    else if (/^-\w*C$/.test(word)) readText(inner, argv[index + 1] ?? null, inner.reader.dialect);
  });
}

/** `find ... -exec command ;` or `+`, any number of times. */
function readFind(inner: Inner): void {
  const { argv } = inner.draft;
  for (let at = 1; at < argv.length; at++) {
    if (!/^-(?:exec|ok)(?:dir)?$/.test(argv[at] ?? "")) continue;
    let end = at + 1;
    while (end < argv.length && argv[end] !== ";" && !(argv[end] === "+" && argv[end - 1] === "{}")) end++;
    addCommand(inner, { from: at + 1, to: end, replaced: "{}", hasMore: false });
    at = end;
  }
}

function readWrapped(inner: Inner, wrapper: Wrapper): void {
  const { reader, draft } = inner;
  const { argv } = draft;
  const { from, isUnsure, texts, replaced } = readOptions(argv, wrapper);
  // An option that is not in the table may have eaten the command's name, and no command is named like an option.
  if (isUnsure || argv[from]?.startsWith("-") === true) addUnknown(reader, draft.place);
  for (const text of texts) readText(inner, text, "posix");
  if (from >= argv.length) return;
  if (wrapper.joins === true) return readJoined(inner, argv.slice(from), "posix");
  // What comes from the input is put at the end.
  addCommand(inner, { from, to: argv.length, replaced, hasMore: wrapper.appends === true });
}
