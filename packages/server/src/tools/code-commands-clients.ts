/** Reads what command-line clients and editors get as input: `ed`, `dc`, `sqlite3`, `psql`, `mysql` start programs on command. */
import type { SimpleCommand } from "../policy/shell/shell.ts";
import { readOptionWords } from "./code-commands-options.ts";
import type { OptionTable } from "./code-commands-options.ts";

/** The text a command gets as its input, null when it is only known at run time; undefined when nothing redirects it. */
function inputOf({ redirections }: SimpleCommand): string | null | undefined {
  const input = redirections.findLast(({ operator }) => operator.startsWith("<"));
  if (input === undefined) return undefined;
  return input.operator.startsWith("<<") ? input.target : null;
}

/** Whether the client starts programs, or may: what it is told to do is only known at run time. */
export function clientStartsPrograms(name: string, command: SimpleCommand): boolean {
  const client = clients[name];
  if (client === undefined) return false;
  const words = command.texts.slice(1);
  if (words.length === 1 && /^--?(?:version|help|V)$/.test(words[0]!)) return false;
  const given = client.given(words);
  if (given === null) return true;
  if (given === "safe") return false;
  const input = given.length > 0 && client.readsGivenAlone ? "" : inputOf(command);
  if (input === null || input === undefined) return true;
  // Wholly unknown; a text with an unknown value in it is read as far as it is known.
  return [...given, input].some((text) => text.startsWith("\0") || client.escape.test(text));
}

interface Client {
  /** The texts with commands among the words; null when one is a file or unknown, `safe` when none can start anything. */
  readonly given: (words: readonly string[]) => readonly string[] | "safe" | null;
  /** With texts among the words it does not read its input. */
  readonly readsGivenAlone: boolean;
  /** What starts a program, reads a file with commands or loads code. */
  readonly escape: RegExp;
}

const editor: Client = {
  given: () => [],
  readsGivenAlone: false,
  escape: /!/,
};

const sqliteEscape =
  /(?:^|\n)[ \t]{0,99}\.[ \t]{0,99}(?:sh|sy|loa|rea|r$|exc|www|[io].*\||o[a-z]*[ \t]{1,99}["']?-)|\b(?:load_extension|edit|writefile|fts3_tokenizer)\s*\(/i;

/** `sqlite3` and `duckdb`: names in full, behind one dash or two. */
const sqlite: Client = {
  given: (words) => {
    const texts: string[] = [];
    const operands: string[] = [];
    let isSafe = false;
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!;
      const option = /^--?([a-z0-9]+)$/.exec(word)?.[1];
      if (!word.startsWith("-")) operands.push(word);
      else if (option === undefined) return null;
      else if (/^(?:cmd|c|s)$/.test(option)) {
        const text = words[++at] ?? "";
        // It is carried out where it stands: `-safe` holds for what comes behind it.
        if (!isSafe) texts.push(text);
      } else if (option === "safe") isSafe = true;
      else if (/^(?:separator|nullvalue|newline|mmap|vfs|maxsize|heap)$/.test(option)) at++;
      else if (/^(?:lookaside|pagecache)$/.test(option)) at += 2;
      else if (!sqliteFlags.has(option)) return null;
    }
    if (!isSafe) return operands.length > 1 ? [...texts, ...operands.slice(1)] : texts;
    return texts.some((text) => text.startsWith("\0") || sqliteEscape.test(text)) ? null : "safe";
  },
  readsGivenAlone: true,
  escape: sqliteEscape,
};

const sqliteFlags: ReadonlySet<string> = new Set([
  "append", "ascii", "bail", "batch", "box", "column", "csv", "deserialize", "echo", "header", "noheader", "html", "json", "jsonlines", "line",
  "list", "markdown", "memtrace", "nofollow", "quote", "readonly", "stats", "table", "tabs", "utf8", "zip",
]); // prettier-ignore

interface TextOptions {
  readonly table: OptionTable;
  /** Options whose value is a text with commands. */
  readonly texts: readonly string[];
  /** Options that name a file with commands, a program, or code to load. */
  readonly unread: readonly string[];
  /** Options that only tell something, whatever else is asked for. */
  readonly lookups?: readonly string[];
  /** Options whose value starts a program when it looks so. */
  readonly escapes?: Readonly<Record<string, RegExp>>;
}

function optionTexts({ table, texts, unread, lookups = [], escapes = {} }: TextOptions): Client["given"] {
  return (words) => {
    const found = readOptionWords(words, table);
    if (found === null) return null;
    const { options } = found;
    if (options.some(({ name }) => lookups.includes(name))) return "safe";
    const isUnread = options.some(
      ({ name, value }) => unread.includes(name) || escapes[name]?.test(value) === true,
    );
    return isUnread ? null : options.filter(({ name }) => texts.includes(name)).map(({ value }) => value);
  };
}

const dc: OptionTable = {
  flags: "hV",
  values: "ef",
  longFlags: ["help", "version"],
  longValues: ["expression", "file"],
};

/** Results may go to a program. */
const pipe = /^\s*\||^\0/;

/** The values of variables are read as commands where they are used: `:x`. */
const backslash = /\\|^\0/;

const psql: OptionTable = {
  flags: "lX1abeEnqsSAHtxz0wW",
  values: "cdfvLoFPRTUhp",
  longFlags: [
    "list", "no-psqlrc", "single-transaction", "echo-all", "echo-errors", "echo-queries", "echo-hidden", "no-readline", "quiet", "single-step",
    "single-line", "no-align", "csv", "html", "tuples-only", "expanded", "field-separator-zero", "record-separator-zero", "no-password", "password",
  ],
  longValues: [
    "command", "dbname", "file", "set", "variable", "log-file", "output", "field-separator", "pset", "record-separator", "table-attr", "host", "port",
    "username",
  ],
}; // prettier-ignore

const mysql: OptionTable = {
  flags: "ABCfHiNnoqrstUvwXEbc",
  values: "DeuhPS",
  attached: "p",
  longFlags: [
    "batch", "silent", "skip-column-names", "column-names", "table", "html", "xml", "raw", "vertical", "force", "verbose", "quick", "compress",
    "no-auto-rehash", "no-beep", "unbuffered", "wait", "ssl", "password", "safe-updates", "comments", "line-numbers", "skip-line-numbers",
  ],
  longValues: [
    "execute", "database", "user", "host", "port", "socket", "protocol", "default-character-set", "connect-timeout", "ssl-mode", "ssl-ca", "ssl-cert",
    "ssl-key", "max-allowed-packet",
  ],
}; // prettier-ignore

const clients: Readonly<Record<string, Client | undefined>> = {
  ed: editor,
  dc: {
    given: (words) => {
      const found = readOptionWords(words, dc);
      // Operands are files.
      if (found === null || found.operands.length > 0) return null;
      return optionTexts({ table: dc, texts: ["e", "expression"], unread: ["f", "file"] })(words);
    },
    readsGivenAlone: true,
    escape: /!/,
  },
  sqlite3: sqlite,
  duckdb: sqlite,
  psql: {
    given: optionTexts({
      table: psql,
      texts: ["c", "command"],
      unread: ["f", "file"],
      lookups: ["l", "list"],
      escapes: { o: pipe, output: pipe, v: backslash, set: backslash, variable: backslash },
    }),
    readsGivenAlone: true,
    // A backtick in an argument, and a backslash by its number in a variable.
    escape: /\\(?:!|o|g|w|i|copy|e|134|x5c)|`|\bprogram\b/i,
  },
  mysql: {
    given: optionTexts({ table: mysql, texts: ["e", "execute"], unread: [] }),
    readsGivenAlone: true,
    escape: /\\[!.PTe]|(?:^|[\n;])[ \t]{0,99}(?:system|source|pager|edit|tee)\b/i,
  },
};
