/** What the arguments of ordinary commands do: start programs, load code into others, write outside the work folder. */
import type { SimpleCommand } from "../policy/shell/shell.ts";
import { isForeign } from "./foreign-path.ts";

type Words = SimpleCommand["argv"];

/** Variables by which a program is made to run other code first. */
export const loadingVariables: ReadonlySet<string> = new Set([
  "BASH_ENV", "ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "NODE_OPTIONS", "PROMPT_COMMAND", "PYTHONSTARTUP", "PYTHONHOME",
  "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND", "GIT_SSH", "GIT_SSH_COMMAND", "LESSOPEN", "PERL5OPT", "RUBYOPT",
]); // prettier-ignore

/** Resources below `bash/`, such as `tar!program`, `!environment` and `!write-absolute`. Careful: false alarms only ask. */
export function describeArguments(name: string, argv: Words): readonly string[] {
  const words = argv.slice(1).flatMap((word) => (word === null ? [] : [word]));
  return [
    ...(setters.has(name) && words.some(setsLoading) ? ["!environment"] : []),
    ...(starters[name]?.(words) === true ? [`${name}!program`] : []),
    ...(writesOutside(name, words) ? ["!write-absolute"] : []),
  ];
}

const setters: ReadonlySet<string> = new Set([
  "env",
  "export",
  "declare",
  "typeset",
  "local",
  "readonly",
  "sudo",
]);

function setsLoading(word: string): boolean {
  return loadingVariables.has(/^([A-Za-z_]\w*)\+?=/.exec(word)?.[1] ?? "");
}

/** Commands with words of their own that start programs. */
const starters: Readonly<Record<string, (words: readonly string[]) => boolean>> = {
  vi: (words) => words.some(isEditorCommand),
  vim: (words) => words.some(isEditorCommand),
  nvim: (words) => words.some(isEditorCommand),
  ex: (words) => words.some(isEditorCommand),
  view: (words) => words.some(isEditorCommand),
  emacs: (words) => words.some((word) => /^--?(?:eval|execute|load|l|f|funcall|script)\b/.test(word)),
  git: (words) =>
    words.some((word, index) => startsByGit(word, words[index - 1])) ||
    // `git config core.pager x` holds for every later call.
    (words.includes("config") && words.some((word) => programSetting.test(word))),
  tar: (words) =>
    words.some((word) =>
      /^--(?:checkpoint-a|to-c|use-c|rsh-c|info-s|new-volume-s)|^-[A-Za-z]*[IF]/.test(word),
    ),
  sed: startsSed,
  gsed: startsSed,
  make: (words) =>
    words.some((word) => word === "-f" || word === "-C" || /^--(?:eval|file|directory)/.test(word)),
  split: (words) => words.some((word) => word.startsWith("--filter")),
  sort: (words) => words.some((word) => word.startsWith("--compress-prog")),
  zip: (words) => words.some((word) => /^-(?:TT|-unzip-command)/.test(word)),
  man: (words) => words.some((word) => /^-(?:P|-pager|H|-html)/.test(word)),
  less: (words) => words.some((word) => word.startsWith("+")),
  // Scripts in files are ones that nobody has read.
  awk: (words) => words.some(isAwkFile),
  gawk: (words) => words.some(isAwkFile),
  mawk: (words) => words.some(isAwkFile),
  hash: (words) => words.some((word) => /^-[a-z]*p/.test(word)),
  compgen: (words) => words.includes("-C"),
  complete: (words) => words.includes("-C"),
  sqlite3: (words) => words.some((word) => /^\s*\.(?:sh|sy|lo)|\bload_extension\b/.test(word)),
  psql: (words) => words.some((word) => word.includes("\\!") || /\bto\s+program\b/i.test(word)),
  dc: (words) => words.some((word) => word.includes("!")),
  "systemd-run": () => true,
  "start-stop-daemon": () => true,
  "run-parts": () => true,
};

/** `-f file`, and gawk's `-E`, `-i` and `-l`. */
function isAwkFile(word: string): boolean {
  return /^(?:-[fEil]|--(?:file|exec|include|load))/.test(word);
}

/** `+!x`, `-c '!x'`, `-c 'call system(...)'`, `-S script`. */
function isEditorCommand(word: string): boolean {
  return /^\+./.test(word) || /^-(?:c|-cmd|S|s|u|-startuptime)$/.test(word) || /^(?:-c|--cmd)/.test(word);
}

/** `-c alias.x=!...`, `-c core.pager=...`: any setting that names a program. */
function startsByGit(word: string, before: string | undefined): boolean {
  if (before === "-c" || word.startsWith("--config-env")) return programSetting.test(word.split("=", 1)[0]!);
  if (before === "submodule" && word === "foreach") return true;
  if (before === "bisect" && word === "run") return true;
  return (
    /^--(?:upload-pack|receive-pack|exec)\b|^ext::|^-[uo]?ext::/.test(word) ||
    (before === "rebase" && /^-x|^--exec/.test(word))
  );
}

/** Settings of git whose values are programs. */
const programSetting =
  /^(?:--config-env$|alias\.|(?:core|sequence)\.(?:pager|editor|sshcommand|fsmonitor|hookspath|gitproxy|askpass)$|pager\.|.*\.(?:textconv|clean|smudge|process|cmd|command|helper|program|driver|proxy)$)/i;

/** A script in a file is one that nobody has read. */
function startsSed(words: readonly string[]): boolean {
  return words.some((word) => /^(?:-f|--file)/.test(word)) || sedScripts(words).some(startsBySed);
}

/** What follows `-e`, else the first operand. */
function sedScripts(words: readonly string[]): readonly string[] {
  const given = words.flatMap((word, index) => {
    if (word === "-e" || word === "--expression") return [words[index + 1] ?? ""];
    return /^(?:-e|--expression=)(.+)$/s.exec(word)?.slice(1) ?? [];
  });
  if (given.length > 0) return given;
  return words.filter((word) => !word.startsWith("-")).slice(0, 1);
}

/** The command `e`, and the flag `e` of `s`; both are GNU's. */
function startsBySed(script: string): boolean {
  // Longer scripts are not read: they ask.
  if (script.length > 4_096) return true;
  return (
    /(?:^|[;{}\n])\s{0,9}(?:\d+|\$|\/[^/\n]{0,200}\/)?(?:,(?:\d+|\$))?\s{0,9}!?\s{0,9}e(?:\s|$|;)/.test(
      script,
    ) ||
    /(?:^|[;{}\n\d/])\s{0,9}s([^\w\s\\])(?:(?!\1)[^\\]|\\.){0,500}\1(?:(?!\1)[^\\]|\\.){0,500}\1[a-zA-Z0-9]{0,9}e/s.test(
      script,
    )
  );
}

/** Which of a command's operands it writes: the last one, or every one. */
const writers: Readonly<Record<string, "last" | "all">> = {
  cp: "last",
  install: "last",
  ln: "last",
  rsync: "last",
  mv: "all",
  tee: "all",
  truncate: "all",
  touch: "all",
  unlink: "all",
  rmdir: "all",
  mkdir: "all",
  mkfifo: "all",
  mknod: "all",
};

function writesOutside(name: string, words: readonly string[]): boolean {
  const which = writers[name];
  if (which === undefined) return false;
  const operands = words.filter((word) => !word.startsWith("-"));
  const target = words.flatMap((word, index) => {
    if (/^(?:-[A-Za-z]*t|--target-directory)$/.test(word)) return [words[index + 1] ?? ""];
    return /^--target-directory=(.*)$/s.exec(word)?.slice(1) ?? [];
  });
  const written = [...target, ...(which === "all" ? operands : operands.slice(-1))];
  return written.some(isForeign);
}
