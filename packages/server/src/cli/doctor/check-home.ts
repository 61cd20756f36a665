/** What `doctor` says of the data folder, the folders granted to runs, and the token. */
import { constants } from "node:fs";
import { access, realpath, stat, statfs } from "node:fs/promises";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import type { LoadedConfig } from "../../config/config.ts";
import { readAdminToken } from "../../identity/admin-token.ts";
import { openRoots } from "../../home/open-roots.ts";
import { isInside } from "../../tools/paths.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { formatBytes } from "../terminal/format-time.ts";

export async function checkHome(home: string): Promise<Diagnosis> {
  try {
    const found = await stat(home);
    if (!found.isDirectory()) {
      const hint = "Give --home or HOMEOSTAT_HOME a folder.";
      return { name: "home", state: "failed", detail: `${home} is a file, not a folder`, hint };
    }
    await access(home, constants.W_OK | constants.R_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(home);
    const freeBytes = bavail * bsize;
    const detail = `${home}, ${formatBytes(freeBytes)} free`;
    if ((found.mode & 0o077) !== 0) {
      return {
        name: "home",
        state: "warning",
        detail: `${detail}, open to other users`,
        hint: `chmod 700 ${home}`,
      };
    }
    // The ledger and the database stop for good when the disk is full; a gigabyte is a warning in time.
    if (freeBytes < 2 ** 30)
      return { name: "home", state: "warning", detail, hint: "Free some space: a full disk stops all runs." };
    return { name: "home", state: "ok", detail };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return { name: "home", state: "ok", detail: `${home} will be made by \`homeostat up\`` };
    }
    return {
      name: "home",
      state: "failed",
      detail: errorMessage(error),
      hint: "Give HOMEOSTAT_HOME a folder that this user may write.",
    };
  }
}

/** A root around the data folder works, with a hole in it that people should know of. */
export async function checkRoots({ roots, home }: LoadedConfig["config"]): Promise<readonly Diagnosis[]> {
  try {
    const realHome = await realpath(home).catch(() => home);
    const around = (await openRoots(roots, home)).filter(({ path }) => isInside(realHome, path));
    return around.map(({ name, path }) => ({
      name: "roots",
      state: "warning",
      detail: `roots.${name} (${path}) holds the data folder, which runs can never open`,
      hint: "Grant the folders beside it instead.",
    }));
  } catch (error) {
    return [failed("roots", error)];
  }
}

export async function checkToken({ config }: LoadedConfig): Promise<Diagnosis> {
  if (config.token !== undefined) return { name: "token", state: "ok", detail: "configured" };
  try {
    await readAdminToken(config.home);
    return { name: "token", state: "ok", detail: "in the data folder, readable by its owner alone" };
  } catch (error) {
    if (isHomeostatError(error, "AUTHENTICATION_REQUIRED")) {
      return { name: "token", state: "ok", detail: "will be made by `homeostat up`" };
    }
    return failed("token", error);
  }
}
