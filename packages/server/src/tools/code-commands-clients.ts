/** Reads what command-line clients and editors get as input: `ed`, `dc`, `sqlite3`, `psql`, `mysql` start programs on command. */
import type { SimpleCommand } from "../policy/shell/shell.ts";

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
  if (words.some((word) => /^--?(?:version|help|V)$/.test(word))) return false;
  if (client.isSafe?.(words) === true) return false;
  const given = client.given(words);
  if (given === null) return true;
  const input = given.length > 0 && client.readsGivenAlone ? "" : inputOf(command);
  if (input === null || input === undefined) return true;
  // Wholly unknown; a text with an unknown value in it is read as far as it is known.
  return [...given, input].some((text) => text.startsWith("\0") || client.escape.test(text));
}

interface Client {
  /** The texts with commands among the words; null when one is a file. */
  readonly given: (words: readonly string[]) => readonly string[] | null;
  /** With texts among the words it does not read its input. */
  readonly readsGivenAlone: boolean;
  /** What starts a program, reads a file with commands or loads code. */
  readonly escape: RegExp;
  readonly isSafe?: (words: readonly string[]) => boolean;
}

const editor: Client = {
  given: () => [],
  readsGivenAlone: false,
  escape: /!/,
};

const sqlite: Client = {
  given: (words) => {
    const texts: string[] = [];
    const operands: string[] = [];
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!;
      if (/^--?init$/.test(word)) return null;
      if (/^--?(?:cmd|c|s)$/.test(word)) texts.push(words[++at] ?? "");
      else if (/^--?(?:separator|nullvalue|newline|mmap|lookaside|pagecache|vfs|maxsize|heap)$/.test(word))
        at++;
      else if (!word.startsWith("-")) operands.push(word);
    }
    return operands.length > 1 ? [...texts, ...operands.slice(1)] : texts;
  },
  readsGivenAlone: true,
  escape:
    /(?:^|\n)[ \t]{0,99}\.[ \t]{0,99}(?:sh|sy|loa|rea|r$|exc|www|[io].*\|)|\b(?:load_extension|edit|writefile|fts3_tokenizer)\s*\(/i,
  isSafe: (words) => words.some((word) => /^--?safe$/.test(word)),
};

/** `-c text`, `-ctext`, `--command=text`; `-f file` and `--file` are files. */
function optionTexts(text: RegExp, file: RegExp): Client["given"] {
  return (words) => {
    if (words.some((word) => file.test(word))) return null;
    return words.flatMap((word, index) => {
      const attached = text.exec(word)?.[1];
      if (attached === undefined) return [];
      return [attached === "" ? (words[index + 1] ?? "") : attached];
    });
  };
}

const clients: Readonly<Record<string, Client | undefined>> = {
  ed: editor,
  dc: {
    given: (words) => {
      if (words.some((word) => /^(?:-f|--file)/.test(word))) return null;
      const texts = optionTexts(/^(?:-e|--expression=?)(.*)$/s, /^-f/)(words)!;
      const isFile = (word: string, index: number): boolean =>
        !word.startsWith("-") && !/^(?:-e|--expression)$/.test(words[index - 1] ?? "");
      return words.some(isFile) ? null : texts;
    },
    readsGivenAlone: true,
    escape: /!/,
  },
  sqlite3: sqlite,
  duckdb: sqlite,
  psql: {
    given: optionTexts(/^(?:-c|--command=?)(.*)$/s, /^(?:-f|--file)/),
    readsGivenAlone: true,
    escape: /\\(?:!|o|g|w|i|copy|e)|\bprogram\b/i,
    isSafe: (words) => words.includes("-l") || words.includes("--list"),
  },
  mysql: {
    given: optionTexts(/^(?:-e|--execute=?)(.*)$/s, /^--(?:init-command|pager)/),
    readsGivenAlone: true,
    escape: /\\[!.PTe]|(?:^|[\n;])[ \t]{0,99}(?:system|source|pager|edit|tee)\b/i,
  },
};
