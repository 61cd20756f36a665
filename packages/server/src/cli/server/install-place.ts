/** Where this program lies: what differs between a clone and the published package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface InstallPlace {
  readonly version: string;
  /** The built dashboard; undefined when it is not there. */
  readonly dashboardFolder: string | undefined;
  readonly examplesFolder: string;
  /** The clone's root; undefined in the published package. */
  readonly repository: string | undefined;
}

/** Reads the file system on each call: the dashboard may just have been built. */
export function findInstallPlace(): InstallPlace {
  // This file is packages/server/src/cli/server/install-place.ts, or dist/cli/server/install-place.js in the package.
  const packageFolder = join(import.meta.dirname, "../../..");
  const repository = dirname(dirname(packageFolder));
  const isClone = existsSync(join(repository, "packages", "web", "vite.config.ts"));
  const dashboard = isClone ? join(repository, "packages", "web", "dist") : join(packageFolder, "dashboard");
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    version: string;
  };
  return {
    version,
    dashboardFolder: existsSync(join(dashboard, "index.html")) ? dashboard : undefined,
    examplesFolder: join(isClone ? repository : packageFolder, "examples"),
    repository: isClone ? repository : undefined,
  };
}
