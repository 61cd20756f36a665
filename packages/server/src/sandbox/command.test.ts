/** Tests of the command line of a sandbox and of the programs made from requests; program.test.ts runs them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { programOf } from "./bubblewrap.ts";
import { buildCommand, effectiveFileBytes } from "./command.ts";
import type { CommandPlan } from "./command.ts";
import { createLanguages, nodeInside } from "./languages.ts";
import { defaultLimits, mergeLimits } from "./limits.ts";
import type { SandboxRequest } from "./sandbox.ts";

const plan: CommandPlan = {
  argv: ["/usr/bin/true", "x y"],
  environment: { A: "secret value" },
  files: [{ path: "/program/a", content: "a" }],
  mounts: [{ from: "/host/node", to: nodeInside }],
  systemMounts: [
    { kind: "symlink", path: "/bin", target: "usr/bin" },
    { kind: "bind", path: "/lib" },
  ],
  reservedBytes: 1000,
  limits: defaultLimits,
  hasInputs: false,
  stdinFile: undefined,
  largestInputBytes: 0,
  uid: 60_600,
  cgroupJoinFiles: ["/cgroup/a/cgroup.procs", "/cgroup/b/cgroup.procs"],
  inheritedDescriptors: [],
  stage: undefined,
};

function words(change: Partial<CommandPlan> = {}): readonly string[] {
  const { command, args } = buildCommand({ ...plan, ...change });
  // The two scripts are known; what stands between and after them is the matter here.
  return [command, ...args].map((word) => (word.includes("\n") ? "SCRIPT" : word));
}

describe("the command of a sandbox", () => {
  test("as root: groups, limits, another user id, bwrap, and the program at the end", () => {
    expect(words()).toEqual([
      ...["sh", "-c", "SCRIPT", "sh", "", "", "2", "/cgroup/a/cgroup.procs", "/cgroup/b/cgroup.procs"],
      ...["30", "31", "131072"],
      ...["setpriv", "--reuid=60600", "--regid=60600", "--clear-groups", "--no-new-privs"],
      ...[
        "bwrap",
        "--args",
        "3",
        "--",
        "sh",
        "-c",
        "SCRIPT",
        "sh",
        "none",
        "/dev/null",
        "/usr/bin/true",
        "x y",
      ],
    ]);
  });

  test("without root and groups: the limits of processes are set inside", () => {
    expect(
      words({ uid: undefined, cgroupJoinFiles: [], hasInputs: true, stdinFile: "/program/stdin" }),
    ).toEqual([
      ...["sh", "-c", "SCRIPT", "sh", "", "", "0", "30", "31", "131072"],
      ...["bwrap", "--args", "3", "--", "prlimit", "--nproc=67", "--data=536871912", "--"],
      ...["sh", "-c", "SCRIPT", "sh", "inputs", "/program/stdin", "/usr/bin/true", "x y"],
    ]);
  });

  test("descriptors above our own are closed, by the shell that can", () => {
    const { command, args } = buildCommand({ ...plan, inheritedDescriptors: [3, 8, 9, 251] });
    expect([command, ...args.slice(0, 3)]).toEqual(["bash", "-o", "posix", "-c"]);
    expect(args[3]!.match(/^exec \d+>&-$/gm)).toEqual(["exec 9>&-", "exec 251>&-"]);
    expect(words({ inheritedDescriptors: [3, 8] })[0]).toBe("sh");
  });

  test("a stage is mounted in a mount namespace of the run", () => {
    expect(words({ stage: { from: "/root/bin", to: "/mnt" } }).slice(0, 10)).toEqual([
      ...["unshare", "--mount", "--propagation", "private", "sh", "-c", "SCRIPT", "sh", "/root/bin", "/mnt"],
    ]);
  });

  test("values of variables travel by descriptor, never in the process list", () => {
    const command = buildCommand(plan);
    expect(JSON.stringify(command.args)).not.toContain("secret value");
    expect(command.bubblewrapArguments).toContain("--setenv\0A\0secret value\0");
  });

  test("the sandbox sees the system read-only and nothing else of the host", () => {
    const all = buildCommand(plan).bubblewrapArguments.split("\0");
    const sources = all.flatMap((word, index) =>
      /^--(ro-|dev-)?bind(-try)?$/.test(word) ? [all[index + 1]] : [],
    );
    expect(sources).toEqual([
      "/usr",
      "/lib",
      "/etc/ld.so.cache",
      "/etc/alternatives",
      "/host/node",
      "/proc/sys",
    ]);
    expect(all).not.toContain("--bind");
    for (const flag of ["user", "pid", "net", "ipc", "uts"]) expect(all).toContain(`--unshare-${flag}`);
    expect(all).toEqual(
      expect.arrayContaining(["--clearenv", "--disable-userns", "--new-session", "--die-with-parent"]),
    );
    // The root is made read-only after everything was mounted into it.
    expect(all.lastIndexOf("--remount-ro")).toBeGreaterThan(all.lastIndexOf("--tmpfs"));
  });

  test("inputs larger than a program may write can still be copied in", () => {
    expect(words({ largestInputBytes: 1 << 30 })).toContain(String((1 << 30) / 512));
  });

  test("the limit of a file is a whole number of blocks and never above the disk", () => {
    const bytes = fc.integer({ min: 1, max: 2 ** 40 });
    fc.assert(
      fc.property(bytes, bytes, (fileBytes, diskBytes) => {
        const effective = effectiveFileBytes(mergeLimits({ fileBytes, diskBytes }));
        expect(effective % 512).toBe(0);
        expect(effective - Math.min(fileBytes, diskBytes)).toBeGreaterThanOrEqual(0);
        expect(effective - Math.min(fileBytes, diskBytes)).toBeLessThan(512);
      }),
    );
  });
});

const languages = createLanguages("/real/node");

function request(change: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    language: "python",
    source: "print(1)",
    args: ["a"],
    outputFolder: "/out",
    environment: { PYTHONPATH: "/other" },
    limits: defaultLimits,
    signal: new AbortController().signal,
    ...change,
  };
}

describe("programs", () => {
  test("get the language's command with their own arguments, and variables over ours", () => {
    const program = programOf(request({ stdin: "typed" }), languages[0]!);
    expect(program).toMatchObject({
      argv: ["/usr/bin/python3", "/program/main.py", "a"],
      environment: {
        HOME: "/tmp",
        PATH: "/usr/bin:/bin",
        PYTHONPATH: "/other",
        PYTHONDONTWRITEBYTECODE: "1",
      },
      files: [
        { path: "/program/main.py", content: "print(1)" },
        { path: "/program/stdin", content: "typed" },
      ],
      stdinFile: "/program/stdin",
    });
    expect(programOf(request(), languages[0]!)).toMatchObject({
      stdinFile: undefined,
      inputFolder: undefined,
    });
  });

  test("of Node run on this runtime's own binary, not on one of the system", () => {
    for (const language of languages.filter(({ id }) => id.endsWith("script"))) {
      expect(language.run[0]).toBe(nodeInside);
      expect(language.mounts).toEqual([{ from: "/real/node", to: nodeInside }]);
      expect(language.run.at(-1)).toBe(language.sourceFile);
    }
  });

  test("of every language have their own name and an absolute path for each thing", () => {
    const names = languages.flatMap(({ id, aliases }) => [id, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const { run, sourceFile, versionProbe } of languages)
      for (const path of [run[0]!, sourceFile, versionProbe[0]!]) expect(path.startsWith("/")).toBe(true);
  });

  test.each<[string, Partial<SandboxRequest>]>([
    ['"A B" is not a name for a variable', { environment: { "A B": "x" } }],
    ['"" is not a name for a variable', { environment: { "": "x" } }],
    ["An argument or variable holds a NUL character", { args: ["a\0b"] }],
    ["An argument or variable holds a NUL character", { environment: { A: "\0--bind" } }],
    [
      "Arguments and variables take 100011 bytes, more than 100000",
      { args: ["x".repeat(99_990)], environment: { A: "x".repeat(17) } },
    ],
  ])("are refused: %s", (message, change) => {
    expect(() => programOf(request(change), languages[0]!)).toThrow(
      expect.objectContaining({ code: "SANDBOX_REQUEST_INVALID", message }),
    );
  });
});
