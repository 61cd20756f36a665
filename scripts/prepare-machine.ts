/** Sees to the programs the tests need beyond Node: installs Debian's packages where it may, else says what will be skipped. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

interface MachineNeed {
  /** The word in HOMEOSTAT_TEST_SKIP by which tests learn that it is missing. */
  readonly name: "sandbox" | "browser" | "postgres" | "redis";
  readonly program: string;
  readonly debianPackage: string;
}

const needs: readonly MachineNeed[] = [
  { name: "sandbox", program: "bwrap", debianPackage: "bubblewrap" },
  { name: "browser", program: "chromium", debianPackage: "chromium" },
  { name: "postgres", program: "initdb", debianPackage: "postgresql" },
  { name: "redis", program: "redis-server", debianPackage: "redis-server" },
];

export interface MachineDeps {
  hasProgram(program: string): boolean;
  readonly isRoot: boolean;
  /** True when the command ended with exit code 0. */
  run(command: readonly string[]): boolean;
  print(line: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Names of what is still missing afterwards, for HOMEOSTAT_TEST_SKIP. HOMEOSTAT_SANDBOX_INSTALL=never forbids installing. */
export function prepareMachine(deps: MachineDeps): readonly string[] {
  const missing = needs.filter((need) => !deps.hasProgram(need.program));
  const obstacle = installObstacle(deps);
  let isListRead = false;
  for (const { name, debianPackage } of obstacle === undefined ? missing : []) {
    deps.print(`prepare: installing Debian's ${debianPackage}, which the ${name} tests need`);
    isListRead ||= deps.run(["apt-get", "update", "-qq"]);
    deps.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", debianPackage]);
  }
  const left = missing.filter((need) => !deps.hasProgram(need.program));
  for (const { name, program, debianPackage } of left) {
    const reason = obstacle ?? "the installation failed";
    deps.print(
      `prepare: ${program} is missing (${reason}): the ${name} tests are skipped; run: apt-get install ${debianPackage}`,
    );
  }
  return left.map((need) => need.name);
}

function installObstacle({ isRoot, environment, hasProgram }: MachineDeps): string | undefined {
  if (environment["HOMEOSTAT_SANDBOX_INSTALL"] === "never") return "HOMEOSTAT_SANDBOX_INSTALL=never";
  if (!hasProgram("apt-get")) return "this is not a Debian system";
  return isRoot ? undefined : "only root may install it";
}

export function thisMachine(): MachineDeps {
  return {
    hasProgram,
    isRoot: process.getuid?.() === 0,
    run: ([program = "", ...args]) => {
      const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
      const { status, stderr } = spawnSync(program, args, { env: environment, encoding: "utf8" });
      if (status !== 0) process.stderr.write(stderr ?? "");
      return status === 0;
    },
    print: (line) => console.log(line),
    environment: process.env,
  };
}

function hasProgram(program: string): boolean {
  return [...(process.env["PATH"] ?? "").split(delimiter), ...postgresFolders()].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // Not in this folder; the next may have it.
    }
  });
}

/** Debian keeps the programs of PostgreSQL's servers out of the PATH, one folder for each version. */
function postgresFolders(): readonly string[] {
  const root = "/usr/lib/postgresql";
  return existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : [];
}
