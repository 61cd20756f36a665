/** What the arguments of ordinary commands do: start programs, load code into others, write outside the work folder. */
import type { SimpleCommand } from "../policy/shell/shell.ts";
import { clientStartsPrograms } from "./code-commands-clients.ts";
import { gitStartsPrograms } from "./code-commands-git.ts";
import { runsUnread } from "./code-commands-languages.ts";
import { setsByBuiltin } from "./code-commands-variables.ts";
import { isForeign } from "./foreign-path.ts";

/** Resources below `bash/`, such as `tar!program`, `!environment` and `!write-absolute`. Careful: false alarms only ask. */
export function describeArguments(name: string, command: SimpleCommand): readonly string[] {
  const words = command.texts.slice(1);
  const startsOthers =
    starters[name]?.(words) === true ||
    typesInto(name, command) ||
    runsUnread(name, words) ||
    clientStartsPrograms(name, command);
  return [
    ...(setsByBuiltin(name, words) ? ["!environment"] : []),
    ...(startsOthers ? [`${name}!program`] : []),
    ...(writesOutside(name, words) ? ["!write-absolute"] : []),
  ];
}

const editors: readonly string[] = ["vi", "vim", "nvim", "rvim", "gvim", "vimdiff", "view"];

/** Commands with words of their own that start programs. */
const starters: Readonly<Record<string, (words: readonly string[]) => boolean>> = {
  ...Object.fromEntries(
    editors.map((name) => [name, (words: readonly string[]) => words.some(isEditorCommand)]),
  ),
  emacs: (words) => words.some((word) => /^--?(?:e|x|l|f|s|b|u|L|i|d)/.test(word)),
  git: gitStartsPrograms,
  tar: startsTar,
  bsdtar: startsTar,
  cpio: (words) => words.some((word) => word.startsWith("--rs")),
  split: (words) => words.some((word) => word.startsWith("--f")),
  sort: (words) => words.some((word) => word.startsWith("--co")),
  zip: (words) => words.some((word) => /^-(?:[A-Za-z0-9]*TT|-un)/.test(word)),
  man: (words) => words.some((word) => /^-(?:[A-Za-z]*[PHC]|-pag|-ht|-co)/.test(word)),
  less: (words) => words.some((word) => word.startsWith("+")),
  hash: (words) => words.some((word) => /^-[a-z]*p/.test(word)),
  // Words are expanded like those of a program, functions are called.
  compgen: (words) => words.some((word) => /^-[a-z]*[CF]/.test(word) || /\$\(|`/.test(word)),
  complete: (words) => words.some((word) => /^-[a-z]*C/.test(word) || /\$\(|`/.test(word)),
  // A shell that reads its input, unless it is given a text.
  script: (words) =>
    !/^--(?:version|help)$/.test(words[0] ?? "") &&
    !words.some((word) => /^-[a-zA-Z]*c|^--command/.test(word)),
  parallel: startsParallel,
  // `-o '|x'` and `-o '!x'`.
  strace: (words) => words.some((word) => /^(?:-[A-Za-z]*o|--o[a-z]*=)?[|!]/.test(word)),
  find: startsByFind,
  fd: (words) => words.some((word) => /^(?:-[a-zA-Z]*[xX]|--exec)/.test(word)),
  rg: (words) => words.some((word) => /^--(?:pre|hostname-bin)(?:=|$)/.test(word)),
  fzf: (words) => words.some((word) => /^--(?:preview|bind|history|listen|with-shell)/.test(word)),
  install: (words) => words.some((word) => word.startsWith("--strip-")),
  "ssh-keygen": (words) => words.some((word) => /^-[a-zA-Z]*[Dw]/.test(word)),
  "ssh-add": (words) => words.some((word) => /^-[a-zA-Z]*[sS]/.test(word)),
  openssl: (words) =>
    words[0] === "engine" || words.some((word) => /^--?(?:engine|provider|config)/.test(word)),
  gpg: (words) => words.some((word) => /^--(?:exec|pho|ag|dirm|opt|ho|keyboxd|load)/.test(word)),
  tcpdump: (words) => words.some((word) => /^-[a-zA-Z]*z/.test(word)),
  ip: (words) => words.includes("exec"),
  nmap: (words) => words.some((word) => /^--?(?:scr|inter)|^-(?:sC|A)$/.test(word)),
  aria2c: (words) => words.some((word) => word.startsWith("--on-")),
  convert: (words) => words.some((word) => /^(?:\w+:)?\||^(?:msl|ephemeral):/.test(word)),
  magick: (words) => words.some((word) => /^(?:\w+:)?\||^(?:msl|ephemeral):|^-script$/.test(word)),
  gs: (words) => words.some((word) => /%pipe%|NOSAFER|DELAYSAFER|^-(?:o|s\w+=)[ \t]{0,99}\|/.test(word)),
  pandoc: (words) => words.some((word) => /^-(?:[sNSipvh]*[FLd]|-(?:fil|lu|pdf-|def))|\.lua\b/.test(word)),
  ...Object.fromEntries(
    ["tex", "latex", "pdftex", "pdflatex", "xelatex", "lualatex"].map((name) => [name, startsTex]),
  ),
  ...Object.fromEntries(
    ["gcc", "g++", "cc", "c++", "clang", "clang++"].map((name) => [name, startsCompiler]),
  ),
};

/** An editor takes its input for what is typed: `vi x <<< ':!ls'`. */
function typesInto(name: string, { redirections }: SimpleCommand): boolean {
  return editors.includes(name) && redirections.some(({ operator }) => operator.startsWith("<"));
}

/** `+!x`, `-c '!x'`, `-c 'call system(...)'`, `-S script`, and `-e`, which reads commands from the input. */
function isEditorCommand(word: string): boolean {
  return (
    /^\+./.test(word) || /^-[A-Za-z]*[cSsuUlewWE]/.test(word) || /^--(?:cmd|startuptime|remote)/.test(word)
  );
}

/** `-I program`, `--to-command`, `--checkpoint-action` and their kind; the first word may be letters without a dash. */
function startsTar(words: readonly string[]): boolean {
  const first = words[0] ?? "";
  if (first.startsWith("\0") || (/^[A-Za-z0-9]+$/.test(first) && /[IF]/.test(first))) return true;
  return words.some((word) => /^--(?:checkpoint-|to-c|us|rs|rm|inf|new-)|^-[A-Za-z0-9]*[IF]/.test(word));
}

/** `parallel ::: ls`, `parallel -a file`, `parallel '{}'`: what comes as data is the command. */
function startsParallel(words: readonly string[]): boolean {
  const command = words.find((word) => !word.startsWith("-"));
  return (
    command === undefined ||
    /^:::|[{\0]/.test(command) ||
    words.some((word) => /^(?:-a|--arg-file)/.test(word))
  );
}

/** `-exec` may stand in a word that is only known at run time, where a test or an action is expected. */
function startsByFind(words: readonly string[]): boolean {
  const first = words.findIndex((word) => /^[-(!]/.test(word));
  if (first < 0) return false;
  return words.some(
    (word, index) => index > first && word.startsWith("\0") && !words[index - 1]!.startsWith("-"),
  );
}

function startsTex(words: readonly string[]): boolean {
  return words.some((word) => /^--?(?:sh|en|cnf)/.test(word) || word.includes("\\write18"));
}

/** Programs and plugins of a compiler's own choosing, and files with options. */
function startsCompiler(words: readonly string[]): boolean {
  return words.some((word) =>
    /^(?:-wrapper|-fplugin|--?specs|-B|--prefix|@|-Xclang|-load|-Wl,.*plugin|-?-plugin)/.test(word),
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

/** Commands that write a file an option names: its value, attached or the next word. */
const outputs: Readonly<Record<string, RegExp | undefined>> = {
  sort: /^(?:-[bdfgiMhnRrVcCmsuz]*o=?|--o[a-z]*=)(.*)$/s,
  shuf: /^(?:-[erz]*o=?|--o[a-z]*=)(.*)$/s,
  find: /^-f(?:print0?|ls|printf)=(.*)$/s,
  unzip: /^-d=?(.*)$/s,
  git: /^(?:-o=?|--ou[a-z-]*=)(.*)$/s,
};

function writesOutside(name: string, words: readonly string[]): boolean {
  const named = outputs[name];
  if (named !== undefined)
    return words.some((word, index) =>
      isForeign(named.exec(word)?.[1] ?? (named.test(`${words[index - 1]}=`) ? word : "")),
    );
  const which = writers[name];
  if (which === undefined) return false;
  const operands = words.filter((word) => !word.startsWith("-"));
  const target = words.flatMap((word, index) => {
    if (/^(?:-[A-Za-z]*t|--t[a-z-]*)$/.test(word)) return [words[index + 1] ?? ""];
    return /^(?:--t[a-z-]*=|-[A-Za-su-z]*t(?=[/.~]))(.*)$/s.exec(word)?.slice(1) ?? [];
  });
  const written = [...target, ...(which === "all" ? operands : operands.slice(-1))];
  return written.some(isForeign);
}
