/** Homeostat as a process of its own whose sources are changed while they are loaded: with bugs, or as a version that does not exist yet. */
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** `find` stands exactly once in the source whose path ends in `file`. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** For the environment of a server. A patch that does not fit ends the process at its start. */
export async function patched(
  folder: string,
  name: string,
  patches: readonly Patch[],
): Promise<Readonly<Record<string, string>>> {
  const preload = join(folder, `${name}.mjs`);
  await writeFile(preload, preloadOf(patches));
  return { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` };
}

/** Runs before the program, in each of its threads. */
function preloadOf(patches: readonly Patch[]): string {
  return `import { registerHooks } from "node:module";
const patches = ${JSON.stringify(patches)};
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const mine = patches.filter(({ file }) => url.endsWith("/" + file));
    if (mine.length === 0) return loaded;
    let source = Buffer.from(loaded.source).toString();
    for (const { file, find, replace } of mine) {
      if (source.split(find).length !== 2) throw new Error(file + " does not hold once: " + find);
      source = source.replace(find, () => replace);
    }
    return { ...loaded, source };
  },
});
`;
}

export interface Bug {
  readonly environment: Readonly<Record<string, string>>;
  /** From now on the statement that holds this text breaks as a bug in our own code would. */
  breakReads(sql: string, times: "once" | "always"): Promise<void>;
  mend(): Promise<void>;
  /** True as long as nobody has met a bug that is there once. */
  isThere(): boolean;
}

/** A server in which reads of the database can be made to break while it runs. */
export async function createBug(folder: string): Promise<Bug> {
  const control = join(folder, "bug.json");
  const environment = await patched(folder, "bug", [
    {
      file: "src/home/state-store.ts",
      find: "    return store;\n  } catch",
      replace: `    const { readFileSync, rmSync } = process.getBuiltinModule("node:fs");
    const check = (sql: string): void => {
      let bug;
      try { bug = JSON.parse(readFileSync(${JSON.stringify(control)}, "utf8")); } catch { return; }
      if (!sql.includes(bug.sql)) return;
      if (bug.times === "once") rmSync(${JSON.stringify(control)});
      throw new TypeError("x is undefined");
    };
    return {
      ...store,
      async read(sql, params) { check(sql); return await store.read(sql, params); },
      scan(sql, params) { check(sql); return store.scan(sql, params); },
    };
  } catch`,
    },
  ]);
  return {
    environment,
    breakReads: (sql, times) => writeFile(control, JSON.stringify({ sql, times })),
    mend: () => rm(control, { force: true }),
    isThere: () => existsSync(control),
  };
}
