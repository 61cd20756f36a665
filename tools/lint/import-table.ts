/** `allowed-imports.json`: which folder may import which, and the exceptions with their reasons. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface ImportTable {
  /** Folders whose source files are checked. A source file anywhere else is a finding. */
  readonly roots: readonly string[];
  /**
   * Folder -> folders or files it may import; `*` allows everything, `!` before a folder takes it and what is in it out
   * again, ` (types)` behind a name only its types. The longest folder that contains a file is its row.
   */
  readonly folders: Readonly<Record<string, readonly string[]>>;
  /** Files a tool obliges to have a default export. */
  readonly defaultExports: readonly string[];
  readonly exceptions: readonly LintException[];
}

export interface LintException {
  readonly file: string;
  readonly rule: string;
  readonly reason: string;
}

export function readImportTable(repository: string): ImportTable {
  return JSON.parse(readFileSync(join(repository, "allowed-imports.json"), "utf8")) as ImportTable;
}

/** The row of a file: the longest listed folder that contains it. */
export function folderOf(file: string, table: ImportTable): string | undefined {
  for (let end = file.lastIndexOf("/"); end > 0; end = file.lastIndexOf("/", end - 1)) {
    const folder = file.slice(0, end);
    if (folder in table.folders) return folder;
  }
  return undefined;
}
