/** Variables by which a program is made to run other code than its text says: what loads code, names a program, or finds programs. */

import type { SimpleCommand } from "../policy/shell/shell.ts";

/** Whatever their value. Sources: the manual pages of ld.so, bash 5.2, git 2.47, GNU make 4.4, tar 1.35, Python, Node, Perl, less, vim. */
const loading: ReadonlySet<string> = new Set([
  // Shells.
  "BASH_ENV", "ENV", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS", "BASH_CMDS", "BASH_ALIASES", "BASH_LOADABLES_PATH", "ZDOTDIR", "INPUTRC", "FCEDIT", "SHELL",
  // Languages.
  "NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONINSPECT", "PYTHONUSERBASE",
  "PYTHONBREAKPOINT", "PERL5OPT", "PERL5LIB", "PERLLIB", "PERL5DB", "RUBYOPT", "RUBYLIB", "LUA_INIT", "LUA_PATH", "LUA_CPATH", "PHPRC",
  "PHP_INI_SCAN_DIR", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "DOTNET_STARTUP_HOOKS", "R_PROFILE_USER",
  "AWKPATH", "AWKLIBPATH", "GCONV_PATH", "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES",
  // Programs that others start.
  "PAGER", "MANPAGER", "EDITOR", "VISUAL", "BROWSER", "LESSOPEN", "LESSCLOSE", "LESS", "LESSKEY", "LESSKEYIN", "VIMINIT", "GVIMINIT",
  "EXINIT", "SUDO_ASKPASS", "SUDO_EDITOR", "SSH_ASKPASS", "RSYNC_RSH", "CVS_RSH", "SVN_SSH", "SVN_EDITOR", "HGRCPATH", "HGEDITOR",
  "MAKEFLAGS", "GNUMAKEFLAGS", "MFLAGS", "MAKEFILES", "TAR_OPTIONS", "TAPE", "SYSTEMD_PAGER", "SYSTEMD_EDITOR", "FZF_DEFAULT_COMMAND",
  "FZF_DEFAULT_OPTS", "RIPGREP_CONFIG_PATH", "PARALLEL", "PSQLRC", "PSQL_PAGER", "PSQL_EDITOR", "MYSQL_HOME", "MYSQL_TEST_LOGIN_FILE", "LIBMYSQL_PLUGINS",
  "LIBMYSQL_PLUGIN_DIR", "SSH_SK_PROVIDER", "GNUPGHOME", "ZIPOPT", "MANOPT", "COMPILER_PATH", "GCC_EXEC_PREFIX",
  // With it, words behind the first operand are no options: another program runs than the one that is read.
  "POSIXLY_CORRECT",
]); // prettier-ignore

/** Families of them. */
const loadingPrefix =
  /^(?:(?:LD|DYLD)_|BASH_FUNC_|GIT_(?:.*SSH|.*PAGER|.*EDITOR|ASKPASS|EXEC_PATH|EXTERNAL_DIFF|PROXY_COMMAND|CONFIG|TEMPLATE_DIR|ALLOW_PROTOCOL|PROTOCOL_FROM_USER|DIR$|COMMON_DIR$|WORK_TREE$))/;

/** Expanded as prompts, and prompts may run commands: `PS4='$(x)'`. */
const prompts: ReadonlySet<string> = new Set(["PS0", "PS1", "PS2", "PS4"]);

/** Prompts that run nothing, whatever is put behind them: `\\044` is a dollar sign, and one at the end waits for `(x)`. */
const harmlessPrompt = /^(?:[^$`\\\0]|\$[A-Za-z_]\w*(?!\w)|\$\{\w+(?:\[\d+\])?(?=\}|:[-+])|\\[^0-7\0])*$/;

/** Whether the variable loads code whatever its value, so that handing it to others is enough: `export BASH_ENV`. */
function isLoading(name: string): boolean {
  return loading.has(name) || loadingPrefix.test(name);
}

/** `text`: the value as in `SimpleCommand.texts`. */
export function isLoadingValue(name: string, text: string): boolean {
  if (prompts.has(name)) return !harmlessPrompt.test(text);
  if (name === "PATH") return !isUsualPath(text);
  // Settings there name programs: of git, editors and shells.
  if (name === "HOME" || name === "XDG_CONFIG_HOME") return !/^(?:\/|~|\0HOME\0)/.test(text);
  return isLoading(name);
}

/** Folders of the system, and at most the old value: everything else may hold a program of any name. */
function isUsualPath(text: string): boolean {
  return text
    .split(":")
    .every((folder) => folder === "\0PATH\0" || /^\/(?:usr\/)?(?:local\/)?s?bin\/?$/.test(folder));
}

/** Assignments before a command, or of its own. A separator that holds for one command alone is for those that read with it. */
export function assignsLoading({ argv, assignments }: SimpleCommand): boolean {
  return assignments.some(({ name, text }) => {
    if (name === "IFS") return argv.length > 0 && !/^(?:read|mapfile|readarray)$/.test(argv[0] ?? "");
    return isLoadingValue(name, text);
  });
}

/** Whether a builtin or `env` sets such a variable. `words`: behind the name, as in `SimpleCommand.texts`. */
export function setsByBuiltin(name: string, words: readonly string[]): boolean {
  switch (name) {
    case "env":
    case "sudo":
      return words.some(setsLoading);
    case "export":
    case "declare":
    case "typeset":
    case "local":
    case "readonly":
      return declaresLoading(words);
    case "read":
    case "mapfile":
    case "readarray":
      return operandsOf(words).some(isNameOfLoading);
    case "set":
    case "shopt":
    case "bash":
    case "sh":
      return takesKeywords(name, words);
    case "xargs":
      return words.some((word, index) => {
        const variable = /^--process-slot-var(?:=(.*))?$/s.exec(word);
        return variable !== null && isNameOfLoading(variable[1] ?? words[index + 1] ?? "");
      });
    case "getopts":
      return isNameOfLoading(words[1] ?? "");
    case "printf":
      return (
        words[0]?.startsWith("-v") === true &&
        isNameOfLoading(words[0] === "-v" ? (words[1] ?? "") : words[0].slice(2))
      );
    default:
      return false;
  }
}

/** A variable that gets a value which is only known at run time. */
function isNameOfLoading(name: string): boolean {
  return name.includes("\0") || isLoadingValue(name.replace(/\[.*$/s, ""), "\0\0");
}

/** `set -k`, `set -o keyword`: from then on `NAME=value` behind a command is an assignment, which is read as a word here. */
function takesKeywords(name: string, words: readonly string[]): boolean {
  if (name === "shopt") return words.some((word) => word === "keyword" || word.startsWith("\0"));
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word.startsWith("\0")) return name === "set";
    if (!/^[-+]./.test(word) || word === "--") return false;
    if (/^-[A-Za-z]*k/.test(word)) return true;
    // `-o` takes the next word, and options may go on behind it.
    if (/^[-+][A-Za-z]*[oO]/.test(word) && /^(?:keyword$|\0)/.test(words[++at] ?? "")) return true;
  }
  return false;
}

function operandsOf(words: readonly string[]): readonly string[] {
  // The options of `read` and `mapfile` that take a value, which is no name.
  return words.filter(
    (word, index) => !word.startsWith("-") && !/^-[A-Za-z]*[CcdiNnOpstu]$/.test(words[index - 1] ?? ""),
  );
}

function declaresLoading(words: readonly string[]): boolean {
  const options = words.filter((word) => /^[-+]/.test(word)).join("");
  // `declare -p` tells, `export -f` hands on functions, which are in the text.
  if (/^-[a-z]*[pfF]/.test(options)) return false;
  const isReference = /-[a-z]*n/.test(options) && !words.some((word) => word.startsWith("+"));
  return words.some((word) => {
    if (/^[-+]/.test(word)) return false;
    const [name = "", value] = word.split("=", 2);
    if (isReference && value !== undefined && isNameOfLoading(value)) return true;
    return value === undefined ? name.includes("\0") || isLoading(name) : setsLoading(word);
  });
}

/** `name=value` as a word: of `env`, `export`, `declare`. A name only known at run time may be any. */
function setsLoading(word: string): boolean {
  const [, name, plus, value] = /^([^=[+]*)(?:\[[^\]]*\])?(\+?)=(.*)$/s.exec(word) ?? [];
  if (name === undefined || value === undefined) return false;
  // `PATH+=:x` comes behind what is there.
  return name.includes("\0") || isLoadingValue(name, plus === "" ? value : value.replace(/^:/, ""));
}
