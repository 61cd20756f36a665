/** Lays the key files of a backup out in a folder, readable by this user alone. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { HomeostatError } from "../base/error.ts";
import type { KeyFiles } from "./key-box.ts";

/** Throws BACKUP_INVALID for a path that leads anywhere but to `token` and below `keys/`. */
export async function writeKeyFiles(
  files: KeyFiles,
  folder: string,
  isWanted: (path: string) => boolean,
): Promise<void> {
  for (const [path, content] of files) {
    if (normalize(path) !== path || (path !== "token" && !path.startsWith("keys/")))
      throw new HomeostatError("BACKUP_INVALID", `The backup's keys hold a file ${JSON.stringify(path)}`);
    if (!isWanted(path)) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, path), content, { mode: 0o600 });
  }
}
