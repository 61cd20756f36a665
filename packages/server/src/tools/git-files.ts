/** What a command writes where git looks for settings and hooks: they name programs that later calls of git run. */
import { commandName } from "../policy/shell/shell-names.ts";
import type { SimpleCommand } from "../policy/shell/shell.ts";

/** Whether a file there makes git start programs: all in a `.git` but what only names files. Patterns count as what they may be. */
export function isGitFile(path: string): boolean {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  // Repositories without work files are named so: `x.git/config`.
  const at = parts.findIndex(
    (part, index) => mayBeGit(part) || (/.\.git$/.test(part) && index < parts.length - 1),
  );
  if (at >= 0) return !/^(?:info\/exclude|description)$/.test(parts.slice(at + 1).join("/"));
  // `$(git rev-parse --git-dir)/hooks/x`.
  return parts.some((part, index) => /^\0[^\0]*\0$/.test(part) && parts[index + 1] === "hooks");
}

function mayBeGit(part: string): boolean {
  if (!part.startsWith(".") || part.length > 64) return false;
  const source = part
    .replace(/\0[^\0]*\0|\*|\{[^}]*\}/g, "\n")
    .replace(/\?|\[[^\]]+\]/g, "\r")
    .replace(/[^\w\n\r]/g, "\\$&")
    .replace(/\n+/g, ".*")
    .replaceAll("\r", ".");
  return new RegExp(`^${source}$`).test(".git");
}

/** Whether the command writes where git finds programs, or goes there. */
export function writesGitFile(command: SimpleCommand): boolean {
  return findWritten(command).some((path) => isGitFile(path) || /(?:^|\/)HEAD$/.test(path));
}

/** Whether it writes a file that is the settings of some repository if its folder is one. */
export function writesSettings(command: SimpleCommand): boolean {
  return findWritten(command).some((path) => /(?:^|\/)config(?:\.worktree)?$/.test(path));
}

/** Commands whose words, and values of options, may be files they write or folders they go to. */
const writers: ReadonlySet<string> = new Set([
  "mv", "ln", "tee", "truncate", "touch", "mkdir", "mkfifo", "mknod", "cd", "pushd", "split", "csplit", "patch", "dd", "sort", "shuf", "iconv", "gpg",
  "openssl", "ffmpeg", "convert", "pandoc", "gcc", "cc", "vi", "vim", "nvim", "nano", "ed", "ex", "unzip", "chmod", "gzip", "xxd", "uniq",
]); // prettier-ignore

/** Paths, as in `SimpleCommand.texts`. Of what is copied, the name counts too: it is that of the copy. */
function findWritten({ argv, texts, redirections }: SimpleCommand): readonly string[] {
  const written = redirections.flatMap(({ operator, text }) =>
    operator.includes(">") && text !== null ? [text] : [],
  );
  const name = commandName(argv) ?? "";
  const words = texts.slice(1);
  if (writers.has(name)) return [...written, ...words.flatMap(readValues)];
  if ((name === "sed" || name === "gsed") && words.some((word) => /^-[A-Za-z]*i|^--in/.test(word))) {
    return [...written, ...words.slice(1)];
  }
  if (name === "tar" || name === "bsdtar") {
    return [
      ...written,
      ...words
        .filter(
          (word, index) => /^(?:-C|--directory)/.test(`${words[index - 1]}`) || /^(?:-C|--dir)/.test(word),
        )
        .flatMap(readValues),
    ];
  }
  if (name !== "cp" && name !== "install" && name !== "rsync") return written;
  // A copy by links is the file itself.
  const isLink = words.some((word) => /^-[A-Za-z]*[ls]|^--(?:link|sym)/.test(word));
  const operands = words.filter((word) => !word.startsWith("-"));
  const sources = operands.slice(0, -1).map((path) => path.slice(path.lastIndexOf("/") + 1));
  const targets = words.flatMap((word, index) =>
    /^(?:-[A-Za-z]*t|--t[a-z-]*)$/.test(words[index - 1] ?? "")
      ? [word]
      : /^--?t/.test(word)
        ? readValues(word)
        : [],
  );
  return [
    ...written,
    ...targets,
    ...(isLink ? operands : [...sources.filter((each) => each !== ".git"), ...operands.slice(-1)]),
  ];
}

/** The word, and what follows `-o`, `--output=` or `of=` in it. */
function readValues(word: string): readonly string[] {
  const value = /^(?:--[\w-]+=|-[A-Za-z]|of=)(.+)$/s.exec(word)?.[1];
  return value === undefined ? [word] : [word, value];
}
