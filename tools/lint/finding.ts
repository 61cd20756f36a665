/** What a check of the repository found, and how it is printed. */

export interface LintFinding {
  readonly rule: string;
  /** Relative to the repository, `/`-separated. */
  readonly file: string;
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number;
  /** What is wrong with the actual names, and what to do. */
  readonly message: string;
}

export function printFinding({ rule, file, line, message }: LintFinding): string {
  return `${file}${line > 0 ? `:${line}` : ""}  ${rule}  ${message}`;
}
