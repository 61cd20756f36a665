/** The folders an operator grants to runs, with their real paths; none may lie in Homeostat's own data folder. */
import { realpath } from "node:fs/promises";
import type { Config } from "../config/config-schema.ts";
import { HomeostatError } from "../base/error.ts";
import { isInside } from "../tools/paths.ts";
import type { Root } from "../tools/tool.ts";

/**
 * Throws CONFIG_INVALID for a folder that is not there, and for one that is the data folder, lies in it or is a link to
 * it: every access would be refused later, when nobody looks.
 */
export async function openRoots(roots: Config["roots"], home: string): Promise<readonly Root[]> {
  const realHome = await realpath(home).catch(() => home);
  return await Promise.all(
    Object.entries(roots).map(async ([name, { path, mode }]) => {
      const real = await realpath(path).catch((error: unknown) => {
        const text = `roots.${name}: there is no folder ${path}`;
        const hint = "create it, or correct the path in homeostat.yaml";
        throw new HomeostatError("CONFIG_INVALID", text, { path }, { cause: error, hint });
      });
      if (isInside(real, realHome)) {
        const what = real === realHome ? "is" : "lies in";
        const text = `roots.${name}: ${path} ${what} Homeostat's own data folder, which no run may open`;
        const hint = "name a folder outside the data folder in homeostat.yaml";
        throw new HomeostatError("CONFIG_INVALID", text, { path }, { hint });
      }
      return { name, path: real, writable: mode === "write" };
    }),
  );
}
