/** Options as programs of GNU and their kind read them: long names by any beginning, several letters in one word. */

/** The full name for `--name`, `--na` and `--na=value`; undefined when none begins so, the first when several do. */
export function optionNamed(word: string, names: readonly string[]): string | undefined {
  const given = /^--([a-z][a-z0-9-]*)/i.exec(word)?.[1];
  if (given === undefined) return undefined;
  return names.find((name) => name === given) ?? names.find((name) => name.startsWith(given));
}

export interface OptionTable {
  /** Letters without a value. */
  readonly flags: string;
  /** Letters with a value, attached or the next word. */
  readonly values: string;
  /** Letters whose value is the rest of the word, which may be empty. */
  readonly attached?: string;
  readonly longFlags: readonly string[];
  readonly longValues: readonly string[];
}

export interface ReadOption {
  /** A letter or a full long name. */
  readonly name: string;
  /** Empty for those without. */
  readonly value: string;
}

export interface ReadWords {
  readonly options: readonly ReadOption[];
  readonly operands: readonly string[];
}

/** Null when an option is not in the table: what it takes and does is unknown. Operands may stand between options. */
export function readOptionWords(words: readonly string[], table: OptionTable): ReadWords | null {
  const options: ReadOption[] = [];
  const operands: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      operands.push(...words.slice(at + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      operands.push(word);
      continue;
    }
    const found = word.startsWith("--") ? readLong(word, table) : readLetters(word, table);
    if (found === null) return null;
    options.push(...found.flags.map((name) => ({ name, value: "" })));
    if (found.name !== undefined) options.push({ name: found.name, value: found.value ?? words[++at] ?? "" });
  }
  return { options, operands };
}

interface FoundOption {
  readonly flags: readonly string[];
  /** One with a value, which is undefined when it is the next word. */
  readonly name?: string;
  readonly value?: string | undefined;
}

function readLong(word: string, { longFlags, longValues }: OptionTable): FoundOption | null {
  const equals = word.indexOf("=");
  const flag = optionNamed(word, longFlags);
  const name = optionNamed(word, longValues);
  // A beginning that fits both is one the program refuses, unless it is the whole name.
  const isFlag = flag !== undefined && (name === undefined || word === `--${flag}`);
  if (isFlag) return { flags: [flag] };
  return name === undefined
    ? null
    : { flags: [], name, value: equals < 0 ? undefined : word.slice(equals + 1) };
}

function readLetters(word: string, { flags, values, attached: rest = "" }: OptionTable): FoundOption | null {
  const found: string[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!;
    if (rest.includes(letter)) return { flags: found, name: letter, value: word.slice(at + 1) };
    if (values.includes(letter)) {
      const attached = word.slice(at + 1);
      return { flags: found, name: letter, value: attached === "" ? undefined : attached };
    }
    if (!flags.includes(letter)) return null;
    found.push(letter);
  }
  return { flags: found };
}
