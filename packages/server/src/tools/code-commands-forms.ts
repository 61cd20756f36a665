/** What a shell command does beyond its name: recursion over absolute paths, signals to others, programs in its arguments. */
import { commandName } from "../policy/shell/shell-names.ts";
import type { Redirection, SimpleCommand } from "../policy/shell/shell.ts";
import type { LanguageId } from "../sandbox/sandbox.ts";
import { describeArguments } from "./code-commands-arguments.ts";
import { readAwk } from "./code-commands-awk.ts";
import { readSed } from "./code-commands-sed.ts";
import { isForeign } from "./foreign-path.ts";
import { isGitFile, writesGitFile } from "./git-files.ts";

export interface ProgramText {
  readonly language: LanguageId;
  readonly text: string;
}

/** Resources below `bash/`, such as `rm!recursive-absolute` and `!network`. */
export function describeForms(command: SimpleCommand): readonly string[] {
  const name = commandName(command.argv);
  const forms = command.redirections.flatMap(describeRedirection);
  if (writesGitFile(command)) forms.push("git!program");
  if (name === null) return forms;
  if (recursive.has(name)) forms.push(...describeRecursion(name, command));
  if (name === "find" && command.argv.includes("-delete")) forms.push(...describeFind(command));
  if (name === "kill" && killsOthers(command.argv)) forms.push("kill!others");
  if (awks.has(name)) forms.push(...describeAwk(name, command.texts.slice(1)));
  if (name === "sed" || name === "gsed") forms.push(...describeSed(name, command.texts.slice(1)));
  return [...forms, ...describeArguments(name, command)];
}

function describeAwk(name: string, words: readonly string[]): readonly string[] {
  const { startsPrograms, usesNetwork, written } = readAwk(words);
  return [
    ...(startsPrograms ? [`${name}!system`] : []),
    ...(usesNetwork ? ["!network"] : []),
    ...written.flatMap(describeWritten),
  ];
}

function describeSed(name: string, words: readonly string[]): readonly string[] {
  const { startsPrograms, written } = readSed(words);
  return [...(startsPrograms ? [`${name}!program`] : []), ...written.flatMap(describeWritten)];
}

/** The program in the arguments of an interpreter; `unknown` when it is a file or only known at run time. */
export function findProgramText(command: SimpleCommand): ProgramText | "unknown" | undefined {
  const { argv, redirections } = command;
  const interpreter = interpreterOf(commandName(argv));
  if (interpreter === undefined) return undefined;
  const { language, options, modules } = interpreter;
  for (let at = 1; at < argv.length; at++) {
    const word = argv[at] ?? null;
    if (word === null) return "unknown";
    // Behind another option it may be that one's value.
    if (at === 1 && /^(?:--version|--help|-V|-h)$/.test(word)) return undefined;
    const option = options.exec(word);
    if (option !== null) {
      const text = option[1] === undefined || option[1] === "" ? argv[at + 1] : option[1];
      if (text === undefined || text === null || (language === "javascript" && text.startsWith("-")))
        return "unknown";
      // Node goes on reading options: files it loads, or another text that counts.
      const rest = argv.slice(option[1] === undefined || option[1] === "" ? at + 2 : at + 1);
      const end = rest.findIndex((next) => next === "--" || next?.startsWith("-") === false);
      const options = end < 0 ? rest : rest.slice(0, end);
      return language === "javascript" && options.length > 0 ? "unknown" : { language, text };
    }
    if (modules.test(word)) {
      const isHarmless = word === "-m" && language === "python" && harmlessModules.has(argv[at + 1] ?? "");
      return isHarmless ? undefined : "unknown";
    }
    if (!word.startsWith("-") || word === "-") {
      if (word !== "-") return "unknown";
      break;
    }
  }
  const input = redirections.findLast(({ operator }) => operator.startsWith("<"));
  if (input === undefined || !input.operator.startsWith("<<") || input.target === null) return "unknown";
  return { language, text: input.target };
}

interface Interpreter {
  readonly language: LanguageId;
  /** The option before the text, which may be attached. */
  readonly options: RegExp;
  /** The option before a module's name. */
  readonly modules: RegExp;
}

const python: Interpreter = {
  language: "python",
  options: /^-[bBdEIOPqRsSuvx]*c(.*)$/s,
  // Of the other options only those are known to load nothing; `-Werror::a.B` imports `a`.
  modules:
    /^-(?!$|[bBdEIOPqRsSuvx]+$|W[a-z]+$|X(?:dev|utf8|faulthandler|tracemalloc|importtime|no_debug_ranges)(?:=\w*)?$)/s,
};
const node: Interpreter = {
  language: "javascript",
  options: /^(?:-e|-p|-pe|--eval|--print)(?:=(.*))?$/s,
  // Of the other long options only those are known to load nothing.
  modules:
    /^(?:-r|-C|-i|--(?!(?:no-(?:warnings|deprecation)|input-type|max-old-space-size|stack-size|trace-[a-z-]+|enable-source-maps|unhandled-rejections|experimental-[a-z-]+-modules|harmony[a-z-]*|throw-deprecation|preserve-symlinks)(?:=|$)).*)/s,
};

/** Modules of Python that only work on what they are given. */
const harmlessModules: ReadonlySet<string> = new Set(["json.tool", "this", "calendar", "base64", "tokenize"]);

function interpreterOf(name: string | null): Interpreter | undefined {
  if (name === null) return undefined;
  if (/^(?:python|pypy)[\d.]*(?:-dbg|[dt])?$/.test(name)) return python;
  return /^node(?:js)?[\d.]*$/.test(name) ? node : undefined;
}

function describeRedirection({ operator, text }: Redirection): string[] {
  if (text === null || operator.startsWith("<<")) return [];
  if (/^\/dev\/(?:tcp|udp)\//.test(text)) return ["!network"];
  const isWrite = operator.includes(">") && !/^(?:\d+|\d*-)$/.test(text);
  return isWrite ? describeWritten(text) : [];
}

function describeWritten(path: string): string[] {
  // What lies there is run by the next `git commit`.
  if (isGitFile(path)) return ["git!program"];
  return isForeign(path) ? ["!write-absolute"] : [];
}

const recursive: ReadonlySet<string> = new Set(["rm", "chmod", "chown", "chgrp", "setfacl"]);

function describeRecursion(name: string, { argv, patterns }: SimpleCommand): readonly string[] {
  const words = argv.slice(1).map((word, index) => word ?? patterns[index + 1] ?? null);
  const isRecursive = words.some(
    (word) =>
      word !== null &&
      (/^-[A-Za-z]*[rR]/.test(word) || word.startsWith("--rec") || word === "--no-preserve-root"),
  );
  // Options may hide in words that are only known at run time; a file name pattern is a path.
  if (!isRecursive) return [];
  const targets = words.filter((word) => word === null || !word.startsWith("-"));
  if (targets.some((word) => word !== null && isForeign(word))) return [`${name}!recursive-absolute`];
  const isAll = targets.some((word) => word === null || /^(?:\.\/*)*\*?$/.test(word));
  return isAll ? [`${name}!recursive-unknown`] : [];
}

function describeFind({ argv }: SimpleCommand): readonly string[] {
  const paths = argv.slice(
    1,
    argv.findIndex((word, index) => index > 0 && word?.startsWith("-") === true),
  );
  if (paths.some((path) => path === null)) return ["find!recursive-unknown"];
  return paths.some((path) => path !== null && isForeign(path)) ? ["find!recursive-absolute"] : [];
}

/** A process or group that is named by its number; `kill $!` and `kill %1` end what the program started. */
function killsOthers(argv: SimpleCommand["argv"]): boolean {
  let at = 1;
  const first = argv[at] ?? "";
  if (first === "-0" || first === "-l" || first === "-L") return false;
  if (first === "-s" || first === "-n") at += 2;
  else if (first.startsWith("-")) at++;
  return argv.slice(at).some((word) => word !== null && /^-?\d+$/.test(word));
}

const awks: ReadonlySet<string> = new Set(["awk", "gawk", "mawk", "nawk"]);
