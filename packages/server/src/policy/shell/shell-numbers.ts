/**
 * Finds values that the shell computes with although nobody knows them: `i=$(cat f); ((i))`. A number is expanded once more when
 * it is computed, and a variable's value is one too, so that `a[$(x)]` in it runs `x`. Where a value comes from is followed
 * through the whole program, whatever the order; digits, counts and plain words are harmless.
 */
import { commandName } from "./shell-names.ts";
import { noteUse, noteValue, unknownText } from "./shell-reader.ts";
import type { Draft, Facts, Place, Reader, Shared, Use, Value } from "./shell-reader.ts";

/**
 * How a text shows the expansion whose source, behind `$`, this is: a name for a plain `$name`, a digit and more for others:
 * `0` a number, which the program behind it computes, `1` the positional parameters, `2` a part of a variable, `3` the keys
 * of a list, `4` values that are noted apart. Empty: it may be anything.
 */
export function describeExpansion(source: string): string {
  if (source.length > 400) return source.startsWith("((") ? "0" : "";
  const plain = /^(?:([A-Za-z_]\w{0,63})|\{([A-Za-z_]\w{0,63})\})$/.exec(source);
  if (plain !== null) return plain[1] ?? plain[2]!;
  if (/^(?:[?#$!]|\{[?#$!]\}|\{#(?:\w+|[@*])(?:\[[^\]]*\])?\}|\{\w+:?\+-?\d*\}|\(\([^]*)$/.test(source))
    return "0";
  if (/^(?:\d|[@*])$/.test(source)) return "1";
  if (source.startsWith("(")) return describeCommands(source.slice(1, -1));
  const keys = /^\{!([A-Za-z_]\w*)\[[@*]\]\}$/.exec(source)?.[1];
  if (keys !== undefined) return `3${keys}`;
  // Defaults that are numbers, and what only takes away: `${x%.*}`, `${x:0:2}`, `${x//,/}`.
  const part = /^\{(\w+|[@*])(?:\[[^\]]*\])?(?:|:?[-=]-?\d*|[%#^,][^]*|:[^-=+?][^]*|\/[^]*\/)\}$/.exec(
    source,
  )?.[1];
  if (part === undefined) return "";
  return /^[\d@*]/.test(part) ? "1" : `2${part}`;
}

/** Behind `${`: `${!x}` is the variable that `x` names, `${x:=y}` a value. */
export function noteParameter(reader: Reader, source: string): void {
  const named = /^!([A-Za-z_]\w*|[\d@*])(?![\w*@])(?!\[[@*]\]$)/.exec(source)?.[1];
  if (named !== undefined) noteUse(reader, unknownText(describeExpansion(named)), { isName: true });
  const [, name, value] = /^([A-Za-z_]\w*)(?:\[[^\]]*\])?:?=([^]*)$/.exec(source) ?? [];
  if (name !== undefined) noteValue(reader, name, /^-?\d*$/.test(value!) ? "0" : unknownText());
}

/** Programs that print numbers and nothing else, alone or at the end of a pipe; quoted words are `q`. */
const counting =
  /^(?:[^;&|\n`(){}#\\'"]+\|)*\s*(?:(wc)(?: -[clmwL]+)+(?: ?< ?[^\s<>|]+)?|(grep)(?: -[A-Za-z]*c[A-Za-z]*)(?: -[iEFvwx]+)* q?[\w.^]*(?: [A-Za-z0-9_./]+)?|(date)(?: -u)?(?: -d q)? q?\+?(?:%[sNYmdHMSjuwyV])+|(nproc)|(id) -[ug]|(stat) -c ?%[sYXZ] [A-Za-z0-9_./][\w./-]*|(seq)(?: \d+){1,3})(?:\s*\|\s*tr -d q)?\s*$/;

function describeCommands(source: string): string {
  const bare = source.replace(/ 2> ?\/dev\/null/g, "").replace(/'[^'%]*'|"[^"`$\\%]*"|"\$\w+"/g, "q");
  const found = counting
    .exec(bare)
    ?.slice(1)
    .find((name) => name !== undefined);
  return found === undefined ? "" : `0${found}`;
}

/** 0 a number or not set here, 1 a word that is known, 2 anything. */
type Level = 0 | 1 | 2;

/** Set by the shell to what nobody knows. */
const unknownNames: ReadonlySet<string> = new Set([
  "PWD", "OLDPWD", "REPLY", "MAPFILE", "OPTARG", "BASH_REMATCH", "BASH_COMMAND", "BASH_ARGV", "BASH_ARGV0", "DIRSTACK",
  "BASH_EXECUTION_STRING", "BASH_SOURCE", "_",
]); // prettier-ignore

/** What is assigned to them is computed. */
const integerNames: readonly string[] = ["RANDOM", "SRANDOM", "SECONDS", "LINENO", "HISTCMD", "OPTIND"];

/** Where something is computed that may be anything; undefined when nothing is. Linear in the facts. */
export function findUnknownNumber({ facts, commands }: Shared): Place | undefined {
  const program = collect(facts, commands);
  if (program.uses.length === 0) return undefined;
  const levels = findLevels(program);
  return program.uses.find((use) => isUnknownUse(use, levels))?.place;
}

interface Program {
  readonly values: readonly Value[];
  readonly uses: readonly Use[];
  readonly defined: ReadonlySet<string>;
  /** Lists with texts as keys. */
  readonly keyed: ReadonlySet<string>;
}

type Levels = (marker: string) => Level;

function collect(facts: Facts, commands: readonly Draft[]): Program {
  const found: Found = {
    values: [...facts.values],
    uses: [...facts.uses],
    integers: new Set(integerNames),
    keyed: new Set(),
  };
  for (const command of commands) {
    const name = commandName(command.argv);
    if (name === "alias") for (const word of command.texts) facts.defined.add(word.split("=", 1)[0]!);
    if (name !== null) collectCommand(found, name, { command, isFunction: facts.defined.has(name) });
  }
  for (const { name, text, place } of found.values) {
    if (found.integers.has(name)) found.uses.push({ text, isName: false, place });
  }
  return { ...found, defined: facts.defined };
}

interface Found {
  readonly values: Value[];
  readonly uses: Use[];
  readonly integers: Set<string>;
  readonly keyed: Set<string>;
}

interface Given {
  readonly command: Draft;
  readonly isFunction: boolean;
}

function collectCommand(found: Found, name: string, { command, isFunction }: Given): void {
  const { place } = command;
  const words = command.texts.slice(1);
  const set = (variable: string, text: string, isAppended = false): void => {
    found.values.push({ name: variable, text, isAppended, place });
  };
  const use = (text: string, isName: boolean): void => void found.uses.push({ text, isName, place });
  if (isFunction || takesParameters.has(name)) for (const word of words) set("1", word);
  if (takesAssignments.has(name)) collectAssigned(found, { words, set });
  else if (name === "read" || name === "mapfile" || name === "readarray") {
    for (const word of words) {
      if (word.includes("[")) use(word, true);
      set(/\w*/.exec(word.replace(/^-a/, ""))![0], "\0\0");
    }
  } else if (name === "printf" && words[0]?.startsWith("-v") === true) {
    const at = words[0] === "-v" ? 1 : 0;
    const isNumber = /^%0?\d*[dioux]$|^%\(%s\)T$/.test(words[at + 1] ?? "");
    const variable = at === 1 ? (words[1] ?? "") : words[0].slice(2);
    set(/\w*/.exec(variable)![0], isNumber ? "0" : "\0\0");
    use(variable, true);
  } else if (name === "let") for (const word of words) use(word, false);
  else if (name === "unset" || name === "wait") for (const word of words) use(word, true);
  else if (name === "test" || name === "[") {
    words.forEach((word, index) => {
      if (/^-[vR]$/.test(words[index - 1] ?? "")) use(word, true);
    });
  }
}

const takesParameters: ReadonlySet<string> = new Set(["set", "bash", "sh", "dash", "ksh", "mksh", "ash"]);
const takesAssignments: ReadonlySet<string> = new Set([
  "declare", "typeset", "local", "export", "readonly", "env", "sudo",
]); // prettier-ignore

function collectAssigned(
  found: Found,
  {
    words,
    set,
  }: { words: readonly string[]; set: (name: string, text: string, isAppended: boolean) => void },
): void {
  const options = words.filter((word) => word.startsWith("-")).join("");
  for (const word of words) {
    const [, name, subscript, plus, text] =
      /^([A-Za-z_]\w*)(?:\[([^\]]*)\])?(?:(\+?)=([^]*))?$/.exec(word) ?? [];
    if (name === undefined) continue;
    if (/i/.test(options) && !/=/.test(options)) found.integers.add(name);
    if (options.includes("A")) found.keyed.add(name);
    if (text !== undefined) set(name, text, plus === "+");
    // A reference is a name, and what it refers to may have a subscript.
    if (options.includes("n")) found.integers.add(name);
    if (subscript !== undefined) set("4", subscript, false);
  }
}

/** Names and markers in a text, and whether its parts could make up a name that stands nowhere. */
function readParts(text: string): { readonly markers: readonly string[]; readonly known: readonly string[] } {
  const parts = text.split("\0");
  return {
    markers: parts.filter((_, index) => index % 2 === 1),
    known: parts.filter((_, index) => index % 2 === 0),
  };
}

function namesIn(known: readonly string[]): readonly string[] {
  return known.flatMap((part) => part.match(/(?<!\w)[A-Za-z_]\w*/g) ?? []);
}

/** Raised from what is noted until nothing rises: each name twice at most. */
function findLevels({ values, defined, keyed }: Program): Levels {
  const levels = new Map<string, Level>();
  const dependents = new Map<string, ((level: Level) => void)[]>();
  const queue: (() => void)[] = [];
  const raise = (name: string, level: Level): void => {
    if (level <= (levels.get(name) ?? 0)) return;
    levels.set(name, level);
    for (const tell of dependents.get(name) ?? []) queue.push(() => tell(level));
  };
  const watch = (name: string, tell: (level: Level) => void): void => {
    const list = dependents.get(name) ?? [];
    list.push(tell);
    dependents.set(name, list);
  };
  const base = (marker: string): Level | string => {
    if (marker === "") return 2;
    if (marker.startsWith("0")) return defined.has(marker.slice(1)) ? 2 : 0;
    if (marker.startsWith("3")) return keyed.has(marker.slice(1)) ? 2 : 0;
    if (marker === "1") return "1";
    if (marker.startsWith("4")) return 0;
    const name = marker.replace(/^2/, "");
    return unknownNames.has(name) ? 2 : name;
  };
  for (const { name, text, isAppended } of values) {
    const { markers, known } = readParts(text);
    const names = namesIn(known);
    const isJoined =
      isAppended || markers.length > 1 || (markers.length > 0 && known.some((part) => part !== ""));
    if (/[[$`]/.test(known.join("")) || (names.length > 0 && isJoined)) raise(name, 2);
    else if (names.length > 0) raise(name, 1);
    for (const each of names) watch(each, (level) => level === 2 && raise(name, 2));
    for (const marker of markers) {
      const from = base(marker);
      const tell = (level: Level): void =>
        raise(name, level === 1 && (isJoined || marker.startsWith("2")) ? 2 : level);
      if (typeof from === "string") watch(from, tell);
      else tell(from);
    }
  }
  for (const name of unknownNames) raise(name, 2);
  // What was raised before somebody watched is told once more.
  for (const [name, level] of levels)
    for (const tell of dependents.get(name) ?? []) queue.push(() => tell(level));
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) next();
  return (marker) => {
    const from = base(marker);
    return typeof from === "string" ? (levels.get(from) ?? 0) : from;
  };
}

function isUnknownUse({ text, isName }: Use, levelOf: Levels): boolean {
  const bracket = text.indexOf("[");
  if (
    isName &&
    readParts(bracket < 0 ? text : text.slice(0, bracket)).markers.some((each) => levelOf(each) === 2)
  ) {
    return true;
  }
  const number = isName ? (bracket < 0 ? "" : text.slice(bracket)) : text;
  const { markers, known } = readParts(number);
  if (markers.some((each) => levelOf(each) === 2) || namesIn(known).some((each) => levelOf(each) === 2))
    return true;
  // `((v$n))`: a name that is made up.
  return markers.some(
    (each, index) =>
      /(?<!\w)[A-Za-z_]\w*$/.test(known[index]!) ||
      (levelOf(each) === 1 &&
        (/^\w/.test(known[index + 1]!) || (known[index + 1] === "" && markers.length > index + 1))),
  );
}
