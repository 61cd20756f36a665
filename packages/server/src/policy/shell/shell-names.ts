/** The name by which policy knows a simple command. */

/** Folders whose programs go by their names alone. */
const systemFolder = /^\/(?:usr\/)?(?:local\/)?s?bin\//;

/**
 * `rm` for `rm`, `/bin/rm` and `\rm`; `source` for `.`. Null when it is only known at run time, when a program is named by
 * a path of its own (nobody has read that file), and for names that no usual program has.
 */
export function commandName(argv: readonly (string | null)[]): string | null {
  const first = argv[0];
  if (first === undefined || first === null) return null;
  if (first === ".") return "source";
  const name = first.replace(systemFolder, "");
  // Nothing is named like an option: `time -o out ./x` is a wrapper whose option was not read.
  return /^(?:(?!-)[A-Za-z0-9_.+:@%^,-]{1,64}|\[)$/.test(name) && name !== ".." ? name : null;
}

/** A word as the shell reads it back unchanged. */
export function quoteShellWord(word: string): string {
  return /^[A-Za-z0-9_.,:@%+=/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
