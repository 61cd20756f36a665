/** Reads calls of `git` for what starts other programs: settings, commands not of git itself, options. */
import { optionNamed, readOptionWords } from "./code-commands-options.ts";
import type { OptionTable } from "./code-commands-options.ts";

/** `words`: behind the name, as in `SimpleCommand.texts`. Source: the manual pages of git 2.47. */
export function gitStartsPrograms(words: readonly string[]): boolean {
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at]!;
    if (!word.startsWith("-")) break;
    if (/^(?:-v|--version|--exec-path|--html-path|--man-path|--info-path)$/.test(word)) return false;
    if (/^(?:-h|--help)$/.test(word)) return startsByCommand("help", words.slice(at + 1));
    if (word === "-c") {
      if (!isHarmlessSetting(words[++at] ?? "")) return true;
    } else if (/^--(?:git-dir|bare)/.test(word)) {
      // The settings of a folder anybody may have made; what is written to a `.git` is asked about.
      const folder = word === "--git-dir" ? (words[++at] ?? "") : word.slice("--git-dir=".length);
      if (word === "--bare" || !/(?:^|\/)\.git\/?$/.test(folder)) return true;
    } else if (/^(?:-C|--work-tree|--namespace|--attr-source)$/.test(word)) at++;
    // One that is not known may take the next word, so that another command follows.
    else if (!globalFlag.test(word)) return true;
  }
  const command = words[at];
  if (command === undefined) return false;
  const rest = words.slice(at + 1);
  return !ownCommands.has(command) || rest.some(startsByOption) || startsByCommand(command, rest);
}

const globalFlag =
  /^(?:-[pP]|--(?:paginate|no-pager|no-replace-objects|bare|(?:literal|glob|noglob|icase)-pathspecs|no-optional-locks|no-lazy-fetch|no-advice)|--(?:git-dir|work-tree|namespace|attr-source|list-cmds)=.*)$/s;

/** Commands of git that work on the repository alone; what is not here is an alias, a program `git-x`, or starts others. */
const ownCommands: ReadonlySet<string> = new Set([
  "add", "am", "annotate", "apply", "archive", "bisect", "blame", "branch", "bundle", "cat-file", "check-attr", "check-ignore", "check-mailmap",
  "check-ref-format", "checkout", "checkout-index", "cherry", "cherry-pick", "clean", "clone", "column", "commit", "commit-graph", "commit-tree", "config",
  "count-objects", "describe", "diff", "diff-files", "diff-index", "diff-tree", "fast-export", "fast-import", "fetch", "fmt-merge-msg", "for-each-ref",
  "format-patch", "fsck", "gc", "grep", "hash-object", "help", "index-pack", "init", "interpret-trailers", "log", "ls-files", "ls-remote", "ls-tree",
  "mailinfo", "merge", "merge-base", "merge-file", "merge-tree", "mktag", "mktree", "multi-pack-index", "mv", "name-rev", "notes", "pack-objects",
  "pack-refs", "patch-id", "prune", "pull", "push", "range-diff", "read-tree", "rebase", "reflog", "remote", "repack", "replace", "rerere", "reset", "restore",
  "rev-list", "rev-parse", "revert", "rm", "shortlog", "show", "show-branch", "show-index", "show-ref", "sparse-checkout", "stash", "status",
  "stripspace", "submodule", "switch", "symbolic-ref", "tag", "unpack-objects", "update-index", "update-ref", "update-server-info", "var",
  "verify-commit", "verify-pack", "verify-tag", "version", "whatchanged", "worktree", "write-tree",
]); // prettier-ignore

function startsByOption(word: string): boolean {
  return optionNamed(word, startingOptions) !== undefined || /^(?:-[uo]?)?ext::/.test(word);
}

const startingOptions = [
  "upload-pack", "receive-pack", "exec", "ext-diff", "template", "open-files-in-pager", "extcmd", "web",
]; // prettier-ignore

function startsByCommand(command: string, rest: readonly string[]): boolean {
  switch (command) {
    case "config":
      return setsSetting(rest);
    case "clone":
      return rest.some((word, index) => {
        // Letters before it that take no value; with `-o`, `-b` and `-j` the rest of the word is theirs.
        const isLong = optionNamed(word, ["config"]) !== undefined;
        const value = (isLong ? /^[^=]*=?(.*)$/s : /^-[^-objuc]*c(.*)$/s).exec(word)?.[1];
        if (value === undefined) return /^-[^-objc]*u/.test(word);
        return !isHarmlessSetting(value === "" ? (rest[index + 1] ?? "") : value);
      });
    case "rebase":
      return rest.some((word) => /^-[^-CsXS]*x/.test(word));
    case "grep":
      return rest.some((word) => /^-[^-efABCm]*O/.test(word));
    case "help":
      return rest.some((word) => /^-[^-]*w|^--w/.test(word));
    case "bisect":
      return rest.includes("run");
    case "submodule":
      return rest.includes("foreach");
    default:
      return false;
  }
}

/** Reading settings starts nothing; one that is set holds for every later call. */
function setsSetting(rest: readonly string[]): boolean {
  const found = readOptionWords(rest, configOptions);
  if (found === null) return true;
  const { options, operands } = found;
  if (options.some(({ name }) => /^(?:get.*|list|l|unset.*|remove-section)$/.test(name))) return false;
  if (operands[0] === "get" || operands[0] === "list") return false;
  const isEdit = operands[0] === "edit" || options.some(({ name }) => name === "e" || name === "edit");
  const named = operands[0] === "set" ? operands.slice(1) : operands;
  // One operand alone is a question.
  return isEdit || (named.length > 1 && !isHarmlessSetting(`${named[0]}=`));
}

const configOptions: OptionTable = {
  flags: "zle",
  values: "ft",
  longFlags: [
    "get", "get-all", "get-regexp", "get-urlmatch", "get-color", "get-colorbool", "list", "unset", "unset-all", "remove-section", "edit", "global",
    "system", "local", "worktree", "add", "replace-all", "fixed-value", "null", "name-only", "includes", "no-includes", "show-origin", "show-scope",
    "bool", "int", "bool-or-int", "bool-or-str", "path", "expiry-date", "no-type", "all", "append", "show-names", "regexp",
  ],
  longValues: ["file", "blob", "type", "default", "comment", "value", "url"],
}; // prettier-ignore

/** `name=value` whose value is no program, file with settings, or address. What is not known to be harmless may be one. */
function isHarmlessSetting(setting: string): boolean {
  return harmlessSetting.test(setting.split("=", 1)[0]!);
}

const harmlessSetting =
  /^(?:user\.(?:name|email|signingkey)|author\..*|committer\..*|(?:color|advice|column|status|log|branch|push|pull|fetch|rebase|gc|pack|index|commit|tag|versionsort|i18n|format|safe|feature|apply|transfer|http|checkout|blame|showbranch|rerere|stash)\.(?!.*(?:proxy|program|command|template|file|cmd|backend|instructionformat)$)[a-z0-9.*/@:_-]+|core\.(?:quotepath|autocrlf|eol|safecrlf|filemode|ignorecase|precomposeunicode|abbrev|longpaths|symlinks|bare|compression|whitespace|commentchar|logallrefupdates|untrackedcache|preloadindex|checkstat|trustctime)|diff\.(?:renames|renamelimit|algorithm|context|noprefix|mnemonicprefix|colormoved|colormovedws|wserrorhighlight|ignoresubmodules|statgraphwidth|relative|interhunkcontext|submodule)|merge\.(?:conflictstyle|ff|renames|renamelimit|stat|log|verbosity)|init\.defaultbranch|protocol\.version|grep\.(?:linenumber|patterntype|extendedregexp|column|fullname)|remote\.[^.]+\.(?:fetch|push|prune|tagopt))$/i;
