/** What is installed, what is only said, and what tests are told to skip. */
import { describe, expect, test } from "vitest";
import { prepareMachine } from "./prepare-machine.ts";
import type { MachineDeps } from "./prepare-machine.ts";

interface Machine {
  readonly lines: string[];
  readonly commands: string[];
  readonly deps: MachineDeps;
}

/** A machine with the given programs, on which apt-get puts chromium, bwrap, initdb and redis-server. */
function machine(programs: readonly string[], rest: Partial<MachineDeps> = {}): Machine {
  const present = new Set(programs);
  const lines: string[] = [];
  const commands: string[] = [];
  const run = (command: readonly string[]): boolean => {
    commands.push(command.join(" "));
    if (command.includes("bubblewrap")) present.add("bwrap");
    if (command.includes("chromium")) present.add("chromium");
    if (command.includes("postgresql")) present.add("initdb");
    if (command.includes("redis-server")) present.add("redis-server");
    return true;
  };
  const print = (line: string): unknown => lines.push(line);
  return {
    lines,
    commands,
    deps: { hasProgram: (name) => present.has(name), isRoot: true, run, print, environment: {}, ...rest },
  };
}

describe("prepareMachine", () => {
  test("does and says nothing when everything is there", () => {
    const { deps, lines, commands } = machine(["apt-get", "bwrap", "chromium", "initdb", "redis-server"]);
    expect(prepareMachine(deps)).toEqual([]);
    expect([...lines, ...commands]).toEqual([]);
  });

  test("reads the package list once and announces each package in one line", () => {
    const { deps, lines, commands } = machine(["apt-get"]);
    expect(prepareMachine(deps)).toEqual([]);
    expect(commands).toEqual([
      "apt-get update -qq",
      "apt-get install -y -qq --no-install-recommends bubblewrap",
      "apt-get install -y -qq --no-install-recommends chromium",
      "apt-get install -y -qq --no-install-recommends postgresql",
      "apt-get install -y -qq --no-install-recommends redis-server",
    ]);
    expect(lines).toHaveLength(4);
  });

  test.each([
    ["a user who is not root", { isRoot: false }, "only root"],
    [
      "an environment that forbids it",
      { environment: { HOMEOSTAT_SANDBOX_INSTALL: "never" } },
      "HOMEOSTAT_SANDBOX_INSTALL",
    ],
    ["an installation that fails", { run: () => false }, "failed"],
  ])("with %s it says what is missing and skips it", (_, rest, reason) => {
    const { deps, lines } = machine(["apt-get", "bwrap", "initdb", "redis-server"], rest);
    expect(prepareMachine(deps)).toEqual(["browser"]);
    expect(lines.at(-1)).toContain("chromium is missing");
    expect(lines.at(-1)).toContain(reason);
    expect(lines.at(-1)).toContain("apt-get install chromium");
  });

  test("elsewhere than on Debian it installs nothing", () => {
    const { deps, commands } = machine([]);
    expect(prepareMachine(deps)).toEqual(["sandbox", "browser", "postgres", "redis"]);
    expect(commands).toEqual([]);
  });
});
