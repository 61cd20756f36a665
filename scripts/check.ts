/** `npm run check`: everything that is not a test, one after the other; exit code 1 when any part fails. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..");
const bin = join(repository, "node_modules/.bin");
const lintFolder = join(repository, "tools/lint");
const oxlint = join(lintFolder, "node_modules/.bin/oxlint");
const lintArguments = [
  "-c",
  join(lintFolder, "oxlintrc.json"),
  "--quiet",
  "--ignore-pattern",
  "**/*.generated.ts",
  // Must run on any Node there is, to say which one is needed.
  "--ignore-pattern",
  "packages/server/homeostat.js",
];

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const checks: readonly Check[] = [
  { name: "format", command: ["prettier", "--check", "--log-level", "warn", "."] },
  ...["tsconfig.json", "packages/cell", "packages/agent", "packages/web", "packages/web/dev"]
    .filter((project) => existsSync(join(repository, project)))
    .map((project) => ({ name: `types ${project}`, command: ["tsc", "--noEmit", "-p", project] })),
  { name: "layers", command: ["node", "tools/lint/check-imports.ts"] },
  { name: "docs", command: ["node", "scripts/generate-docs.ts", "--check"] },
  { name: "openapi", command: ["node", "scripts/write-openapi.ts", "--check"] },
  {
    name: "client",
    command: ["node", "scripts/generate-client.ts", "--from", "docs/reference/openapi.json", "--check"],
  },
];

const failed = checks.filter((check) => !run(check)).map((check) => check.name);
if (!lint()) failed.push("lint");
if (failed.length > 0) {
  console.error(`check: failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

function run({ name, command: [program = "", ...args] }: Check): boolean {
  const startMs = performance.now();
  const { status } = spawnSync(program.startsWith("/") ? program : join(bin, program), args, {
    cwd: repository,
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
  });
  console.log(
    `check: ${name} ${status === 0 ? "ok" : "FAILED"} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`,
  );
  return status === 0;
}

/** oxlint is extra: its platform packages cannot always be had, and then one line says so and the check goes on. */
function lint(): boolean {
  if (!existsSync(oxlint)) {
    const install = spawnSync("npm", ["install", "--prefix", lintFolder, "--no-fund", "--no-audit"], {
      stdio: "ignore",
    });
    if (install.status !== 0 || !existsSync(oxlint)) {
      console.log("check: lint skipped, oxlint cannot be installed here");
      return true;
    }
  }
  return run({ name: "lint", command: [oxlint, ...lintArguments, "packages", "scripts", "tools", "test"] });
}
