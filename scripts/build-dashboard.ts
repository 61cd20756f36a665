/** Builds the dashboard when a source of it is newer than the built page. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const sources = [
  "packages/web/src",
  "packages/web/public",
  "packages/web/index.html",
  "packages/web/vite.config.ts",
  "packages/client/src",
];
const page = "packages/web/dist/index.html";

/** `repository` is its absolute path. False when the build failed; its output is printed then. */
export function buildDashboardIfStale(repository: string): boolean {
  if (!isStale(repository)) return true;
  console.log("dashboard: building packages/web/dist");
  const vite = join(repository, "node_modules/vite/bin/vite.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], {
    cwd: join(repository, "packages/web"),
    encoding: "utf8",
  });
  if (status !== 0) process.stderr.write(`${stdout}${stderr}`);
  return status === 0;
}

function isStale(repository: string): boolean {
  const built = join(repository, page);
  if (!existsSync(built)) return existsSync(join(repository, "packages/web/index.html"));
  const builtAt = statSync(built).mtimeMs;
  return sources.some((source) => newestUnder(join(repository, source)) > builtAt);
}

function newestUnder(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestUnder(join(path, name))));
}
