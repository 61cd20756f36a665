/** Tests of installing bubblewrap, with a made-up package manager. */
import { describe, expect, test } from "vitest";
import type { HostAnswer, HostCommand } from "./host-command.ts";
import { installBubblewrap } from "./install.ts";
import type { InstallAnswer } from "./install.ts";
import { findRemedy } from "./remedy.ts";

interface Tried {
  readonly answer: InstallAnswer;
  readonly ran: readonly string[];
  readonly said: readonly string[];
}

interface Situation {
  readonly mayInstall?: boolean;
  readonly isRoot?: boolean;
  readonly manager?: string;
  /** Answers of the installations, in order. */
  readonly installs?: readonly HostAnswer[];
}

const fine: HostAnswer = { exitCode: 0, stdout: "", stderr: "" };

async function attempt({
  mayInstall = true,
  isRoot = true,
  manager = "apt-get",
  installs = [],
}: Situation): Promise<Tried> {
  const ran: string[] = [];
  const said: string[] = [];
  const left = [...installs];
  const runCommand = async ({ command, args, environment }: HostCommand): Promise<HostAnswer> => {
    if (args[0] === "--version")
      return command === manager ? fine : { exitCode: null, stdout: "", stderr: "ENOENT" };
    ran.push([command, ...args].join(" "));
    expect(environment).toEqual({ DEBIAN_FRONTEND: "noninteractive" });
    return args[0] === "update" ? fine : left.shift()!;
  };
  const answer = await installBubblewrap({ mayInstall, isRoot, runCommand, say: (line) => said.push(line) });
  return { answer, ran, said };
}

const install = "apt-get install -y --no-install-recommends bubblewrap";

describe("installing bubblewrap", () => {
  test("says one line and installs Debian's package", async () => {
    const { answer, ran, said } = await attempt({ installs: [fine] });
    expect(answer).toEqual({ kind: "installed" });
    expect(ran).toEqual([install]);
    expect(said).toEqual([expect.stringContaining("HOMEOSTAT_SANDBOX_INSTALL=never")]);
  });

  test("fetches the package lists when the first try fails", async () => {
    const failed = { exitCode: 100, stdout: "", stderr: "E: Unable to locate package bubblewrap\n" };
    const { answer, ran } = await attempt({ installs: [failed, fine] });
    expect(answer).toEqual({ kind: "installed" });
    expect(ran).toEqual([install, "apt-get update", install]);
  });

  test("tells the last line of what went wrong, or that it took too long", async () => {
    const failed = { exitCode: 100, stdout: "", stderr: "W: a\nE: no space left\n" };
    const late = { exitCode: null, stdout: "", stderr: "" };
    expect((await attempt({ installs: [failed, failed] })).answer).toEqual({
      kind: "left",
      command: "apt-get install -y bubblewrap",
      reason: "E: no space left",
    });
    expect((await attempt({ installs: [late, late] })).answer).toMatchObject({
      reason: "apt-get did not end in time",
    });
  });

  test.each<[string, Situation, string, string]>([
    ["forbidden", { mayInstall: false }, "apt-get install -y bubblewrap", "installing is switched off"],
    ["not root", { isRoot: false }, "sudo apt-get install -y bubblewrap", "installing needs root"],
    ["Fedora", { manager: "dnf" }, "dnf install -y bubblewrap", "there is no apt-get"],
    [
      "unknown",
      { manager: "none", isRoot: false },
      "install the package bubblewrap (https://github.com/containers/bubblewrap)",
      "there is no apt-get",
    ],
  ])("does nothing and says the command: %s", async (_name, situation, command, reason) => {
    const { answer, ran, said } = await attempt(situation);
    expect(answer).toEqual({ kind: "left", command, reason });
    expect([ran, said]).toEqual([[], []]);
  });
});

describe("the remedy", () => {
  const failed = (...names: readonly string[]): { name: string; ok: boolean; detail: string }[] =>
    ["start", "own user id", "control groups", "no network"].map((name) => ({
      name,
      ok: !names.includes(name),
      detail: "",
    }));
  const settings = (values: Readonly<Record<string, string>>) => (file: string) =>
    Object.entries(values).find(([name]) => file.endsWith(name))?.[1];

  test.each([
    [failed(), true, {}, undefined],
    [
      failed("start"),
      true,
      { unprivileged_userns_clone: "0\n" },
      "sysctl -w kernel.unprivileged_userns_clone=1",
    ],
    [failed("start"), false, { max_user_namespaces: "0\n" }, "sudo sysctl -w user.max_user_namespaces=10000"],
    [
      failed("start"),
      false,
      { apparmor_restrict_unprivileged_userns: "1\n" },
      "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ],
    [
      failed("start"),
      true,
      { max_user_namespaces: "9\n" },
      expect.stringContaining("docker run --security-opt"),
    ],
    [failed("own user id", "control groups"), false, {}, expect.stringContaining("start Homeostat as root")],
    [failed("control groups"), true, {}, expect.stringContaining("--cgroupns=private")],
    [failed("no network"), true, {}, expect.stringContaining("current kernel")],
  ])("%#", (checks, isRoot, values, remedy) => {
    expect(findRemedy(checks, isRoot, settings(values))).toEqual(remedy);
  });

  test("reads the kernel's own settings", () => {
    expect(findRemedy(failed("start"), true)).toEqual(expect.any(String));
    expect(findRemedy([], true)).toBeUndefined();
  });
});
