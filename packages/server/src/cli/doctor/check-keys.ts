/** What `doctor` says of the key files: whether others may read them, and whether they are this user's. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config-schema.ts";
import { homeAt } from "../../home/home.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";

export interface KeyFileFacts {
  readonly path: string;
  /** Of `stat`; the last nine bits are the permissions. */
  readonly mode: number;
  readonly owner: number;
}

/** Nothing where there are no keys yet. A server refuses to start with a key that others may read. */
export async function checkKeys({ home }: Pick<Config, "home">): Promise<readonly Diagnosis[]> {
  const { keys } = homeAt(home);
  try {
    const names = await readdir(keys);
    const files = await Promise.all(
      names.map(async (name): Promise<KeyFileFacts> => {
        const path = join(keys, name);
        const { mode, uid: owner } = await lstat(path);
        return { path, mode, owner };
      }),
    );
    const { mode, uid: owner } = await lstat(keys);
    return files.length === 0 ? [] : [judgeKeys([{ path: keys, mode, owner }, ...files], process.getuid?.())];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    return [failed("keys", error)];
  }
}

/** The first is the folder. `user` is undefined where users have no numbers. Pure. */
export function judgeKeys(files: readonly KeyFileFacts[], user: number | undefined): Diagnosis {
  const name = "keys";
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0);
  const foreign = files.filter(({ owner }) => user !== undefined && user !== 0 && owner !== user);
  if (open.length > 0) {
    const shown = open.map(({ path, mode }) => `${path} (mode ${(mode & 0o777).toString(8)})`).join(", ");
    const hint = `chmod go= ${open.map(({ path }) => path).join(" ")}; whoever could read them may have them.`;
    return { name, state: "failed", detail: `may be read by others: ${shown}`, hint };
  }
  if (foreign.length > 0) {
    const shown = foreign.map(({ path }) => path).join(", ");
    const hint = `chown ${user} ${foreign.map(({ path }) => path).join(" ")}, or run as the user whose they are.`;
    return { name, state: "failed", detail: `belong to another user: ${shown}`, hint };
  }
  return { name, state: "ok", detail: `${files.length - 1} files, readable by their owner alone` };
}
