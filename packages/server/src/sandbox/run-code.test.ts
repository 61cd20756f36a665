/** Tests of choosing a tier, of the start-up measurement, and of the sandbox as a whole. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { Logger } from "../base/log.ts";
import { createUidPool, findBubblewrapVersion, findHost } from "./host.ts";
import { runCommand } from "./host-command.ts";
import type { RunCommand } from "./host-command.ts";
import { createLanguages } from "./languages.ts";
import { defaultLimits, mergeLimits } from "./limits.ts";
import { openPipes } from "./pipes.ts";
import { chooseTier, createSandbox } from "./run-code.ts";
import type { SandboxDeps } from "./run-code.ts";
import type { IsolationLevel, LanguageId, SandboxReport, SandboxRequest, SandboxTier } from "./sandbox.ts";
import { assembleSeccomp, hasSeccompTable } from "./seccomp.ts";
import { findVersion, isolationChecks, reportWithout, selfTest } from "./self-test.ts";
import type { SelfTestDeps } from "./self-test.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-run-code-"));
});
afterAll(() => rm(folder, { recursive: true }));

const deps: SandboxDeps = { clock: systemClock, log: createSilentLogger(), mayInstall: false };

async function request(change: Partial<SandboxRequest> = {}): Promise<SandboxRequest> {
  return {
    language: "javascript",
    source: "console.log(typeof process)",
    args: [],
    environment: {},
    outputFolder: await mkdtemp(join(folder, "out-")),
    limits: defaultLimits,
    signal: new AbortController().signal,
    ...change,
  };
}

function report(
  level: IsolationLevel,
  tiers: Partial<Record<LanguageId, readonly SandboxTier[]>>,
): SandboxReport {
  return {
    level,
    tiers: [],
    cgroup: "none",
    checks: [
      { name: "fine", ok: true, detail: "" },
      { name: "control groups", ok: false, detail: "not mounted" },
    ],
    ...(level === "full" ? {} : { remedy: "mount them" }),
    languages: Object.entries(tiers).map(([id, each]) => ({
      id: id as LanguageId,
      available: true,
      tiers: each,
    })),
  };
}

describe("the tier", () => {
  const both: Partial<Record<LanguageId, readonly SandboxTier[]>> = {
    javascript: ["bubblewrap", "quickjs"],
    python: ["bubblewrap"],
  };
  const onlyScripts: Partial<Record<LanguageId, readonly SandboxTier[]>> = {
    javascript: ["quickjs"],
    python: [],
  };

  test.each<[IsolationLevel, LanguageId, IsolationLevel, SandboxTier]>([
    ["full", "python", "full", "bubblewrap"],
    ["full", "javascript", "none", "bubblewrap"],
    ["standard", "python", "standard", "bubblewrap"],
    ["standard", "python", "none", "bubblewrap"],
    ["none", "javascript", "none", "quickjs"],
  ])("on a host of level %s: %s with at least %s runs in %s", (level, id, minimum, tier) => {
    expect(chooseTier(report(level, level === "none" ? onlyScripts : both), { id }, minimum)).toBe(tier);
  });

  test.each<[IsolationLevel, LanguageId, IsolationLevel, string]>([
    [
      "standard",
      "python",
      "full",
      "python needs isolation full, but this host holds level standard (control groups: not mounted)",
    ],
    [
      "standard",
      "javascript",
      "full",
      "javascript needs isolation full, but this host holds level standard (control groups: not mounted)",
    ],
    [
      "none",
      "javascript",
      "standard",
      "javascript needs isolation standard, but this host holds level none (control groups: not mounted)",
    ],
    [
      "none",
      "python",
      "none",
      "python needs isolation none, but this host holds level none (control groups: not mounted)",
    ],
    ["full", "bash", "none", "bash needs isolation none, but bash is not installed on this host"],
  ])("on a host of level %s: %s with at least %s is refused", (level, id, minimum, message) => {
    expect(() => chooseTier(report(level, level === "none" ? onlyScripts : both), { id }, minimum)).toThrow(
      expect.objectContaining({
        code: "SANDBOX_UNAVAILABLE",
        message,
        hint: expect.stringContaining(
          level === "full" ? "homeostat doctor" : "To raise the level: mount them",
        ) as string,
      }),
    );
  });
});

describe("the start-up measurement", () => {
  const fine = [
    "network=absent",
    "environment=LANG PATH PWD ",
    "namespaces=refused",
    "seccomp=2",
    "capabilities=0000000000000000",
    "privileges=1",
    "sysctl=refused",
    "host=",
  ];

  test("is content with a probe that reached nothing", () => {
    expect(isolationChecks(fine).filter((check) => !check.ok)).toEqual([]);
  });

  test.each([
    ["no network", "network=connected", "connected"],
    ["clean environment", "environment=API_KEY PATH ", "API_KEY PATH"],
    ["no new namespaces", "namespaces=made", "made"],
    ["system call filter", "seccomp=0", "0"],
    ["no capabilities", "capabilities=00000000a80425fb", "00000000a80425fb"],
    ["no new privileges", "privileges=0", "0"],
    ["sysctl read-only", "sysctl=written", "written"],
    ["host files hidden", "host=/root /etc/shadow ", "/root /etc/shadow"],
  ])("finds what is wrong with: %s", (name, line, detail) => {
    const lines = fine.map((each) => (each.split("=")[0] === line.split("=")[0] ? line : each));
    expect(isolationChecks(lines).filter((check) => !check.ok)).toEqual([{ name, ok: false, detail }]);
  });

  test("takes what was not measured for not held", () => {
    const checks = isolationChecks([]);
    expect(checks.every((check) => !check.ok && check.detail === "not measured")).toBe(true);
  });

  test("reads versions as programs print them", () => {
    const lines = [
      "version=Python 3.11.2",
      "version=v24.1.0",
      "version=GNU bash, version 5.2.15(1)-release",
      "version=bash: none",
    ];
    expect(lines.map(findVersion)).toEqual(["3.11.2", "24.1.0", "5.2.15", undefined]);
  });

  test("without bubblewrap leaves JavaScript alone", () => {
    const { languages, level, remedy } = reportWithout(
      "bubblewrap",
      "missing",
      "install it",
      createLanguages("/node"),
    );
    expect({ level, remedy }).toEqual({ level: "none", remedy: "install it" });
    expect(languages.filter((each) => each.available)).toEqual([
      { id: "javascript", available: true, tiers: ["quickjs"] },
    ]);
  });
});

const hasBubblewrap = (await findBubblewrapVersion(runCommand)) !== undefined;

describe("the sandbox", () => {
  test("measures this host in less than 1.5 s of its own time, once per process", async () => {
    const reports = new Map<string, SandboxReport>();
    const first = await createSandbox({ ...deps, reports });
    expect(reports.size).toBeLessThanOrEqual(1);
    const second = await createSandbox({ ...deps, reports });
    if (hasBubblewrap) expect(second.report()).toBe(first.report());
    expect(first.report().tiers).toContain("quickjs");
    // Whatever the level, it is explained.
    const { level, checks, remedy } = first.report();
    if (level !== "full") expect(remedy).toBeDefined();
    if (level === "full") expect(checks.filter((check) => !check.ok)).toEqual([]);
  });

  test("runs JavaScript with Node where it can be isolated and in QuickJS where not", async () => {
    const sandbox = await createSandbox(deps);
    const isIsolated = sandbox.report().level !== "none";
    const outcome = await sandbox.run(await request(), "none");
    expect(outcome).toMatchObject(
      isIsolated ? { tier: "bubblewrap", stdout: "object\n" } : { tier: "quickjs", stdout: "undefined\n" },
    );
    const nothing = await createSandbox({ ...deps, architecture: "mips" });
    expect(nothing.report()).toMatchObject({
      level: "none",
      checks: [{ name: "processor", ok: false, detail: "there is no system call table for mips" }],
    });
    expect(await nothing.run(await request(), "none")).toMatchObject({
      tier: "quickjs",
      stdout: "undefined\n",
    });
    await expect(nothing.run(await request(), "standard")).rejects.toMatchObject({
      code: "SANDBOX_UNAVAILABLE",
    });
    await expect(nothing.run(await request({ language: "python" }), "none")).rejects.toMatchObject({
      code: "SANDBOX_UNAVAILABLE",
      hint: "To raise the level: use an x64 or arm64 machine",
    });
  });

  test("refuses limits out of bounds and languages it does not know", async () => {
    const sandbox = await createSandbox({ ...deps, architecture: "mips" });
    const invalid = { code: "SANDBOX_REQUEST_INVALID" };
    await expect(
      sandbox.run(await request({ limits: mergeLimits({ wallMs: 1e9 }) }), "none"),
    ).rejects.toMatchObject(invalid);
    await expect(sandbox.run(await request({ stdin: "é".repeat(9 << 20) }), "none")).rejects.toMatchObject({
      ...invalid,
      message: "Program, stdin and arguments have 18874395 bytes, more than 16777216",
    });
    const language = "cobol" as LanguageId;
    await expect(sandbox.run(await request({ language }), "none")).rejects.toMatchObject({
      ...invalid,
      message: 'There is no language "cobol"',
    });
  });

  test("lets a bounded number of programs run and wait", async () => {
    const sandbox = await createSandbox({ ...deps, architecture: "mips", maxRunning: 1, maxWaiting: 1 });
    const abort = new AbortController();
    const source = "for (;;);";
    const running = sandbox.run(await request({ source, signal: abort.signal }), "none");
    const waiting = sandbox.run(await request(), "none");
    await expect(sandbox.run(await request(), "none")).rejects.toMatchObject({ code: "SANDBOX_BUSY" });
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(await waiting).toMatchObject({ exitCode: 0 });
  });
});

describe("a host whose bwrap is odd", () => {
  /** Answers the named commands as given, all others as the real host. */
  const pretend =
    (answers: Readonly<Record<string, readonly string[]>>): RunCommand =>
    async (command) => {
      const answer = answers[command.command];
      if (answer === undefined) return await runCommand(command);
      const [stdout = ""] = answer;
      return { exitCode: answer.length === 0 ? 1 : 0, stdout, stderr: "" };
    };

  test("has level none with the command that installs it when it is missing and may not be installed", async () => {
    const said: string[] = [];
    const missing = pretend({ bwrap: [], "apt-get": ["apt 2.6"] });
    const sandbox = await createSandbox({ ...deps, runCommand: missing, say: (line) => said.push(line) });
    expect(sandbox.report()).toMatchObject({
      level: "none",
      checks: [{ name: "bubblewrap", ok: false, detail: "missing; installing is switched off" }],
      remedy: expect.stringContaining("apt-get install -y bubblewrap") as string,
    });
    expect(said).toEqual([]);
  });

  test.skipIf(!hasBubblewrap)("is measured again after the package was installed", async () => {
    const lines: string[] = [];
    const log: Logger = { ...createSilentLogger(), info: (_context, line) => lines.push(line) };
    let isInstalled = false;
    const installing: RunCommand = async (command) => {
      if (command.command === "apt-get") {
        isInstalled ||= command.args[0] === "install";
        return { exitCode: 0, stdout: "", stderr: "" };
      }
      if (command.command === "bwrap" && !isInstalled)
        return { exitCode: null, stdout: "", stderr: "ENOENT" };
      return await runCommand(command);
    };
    const sandbox = await createSandbox({ ...deps, uid: 0, log, mayInstall: true, runCommand: installing });
    expect(lines[0]).toContain("Installing Debian's bubblewrap");
    expect(sandbox.report().checks.map((check) => check.name)).toContain("no network");
  });

  test("has level none when it is too old, also after an installation", async () => {
    const tooOld = {
      level: "none",
      checks: [{ name: "bubblewrap", ok: false, detail: "version 0.4.1 is older than 0.8.0" }],
      remedy: expect.stringContaining("(0.8.0 or newer)") as string,
    };
    const old = await createSandbox({ ...deps, runCommand: pretend({ bwrap: ["bubblewrap 0.4.1"] }) });
    expect(old.report()).toMatchObject(tooOld);
    const vanished = pretend({ bwrap: [], "apt-get": ["done"] });
    const gone = await createSandbox({ ...deps, uid: 0, mayInstall: true, runCommand: vanished });
    expect(gone.report().checks[0]?.detail).toBe("version 0 is older than 0.8.0");
  });

  test("still runs JavaScript where the host cannot be asked at all", async () => {
    const sandbox = await createSandbox({ ...deps, nodeBinary: "/no/such/node" });
    expect(sandbox.report()).toMatchObject({
      level: "none",
      checks: [{ name: "start", ok: false, detail: expect.stringContaining("ENOENT") as string }],
      remedy: "run Homeostat on Linux with bubblewrap 0.8.0 or newer",
    });
    expect(await sandbox.run(await request(), "none")).toMatchObject({ tier: "quickjs", exitCode: 0 });
  });

  test("has level none when the host lacks what a program is started with", async () => {
    const noFifo = pretend({ bwrap: ["bubblewrap 0.8.0"], mkfifo: [] });
    const sandbox = await createSandbox({ ...deps, runCommand: noFifo });
    expect(sandbox.report()).toMatchObject({
      level: "none",
      checks: [
        { name: "start", ok: false, detail: expect.stringContaining("Pipes could not be made") as string },
      ],
    });
  });
});

describe.skipIf(!hasBubblewrap)("the self-test", () => {
  const program = async (change: Partial<SelfTestDeps>): Promise<SelfTestDeps> => {
    const host = await findHost({
      nodeBinary: process.execPath,
      architecture: process.arch,
      uid: process.getuid!(),
      runCommand,
    });
    return {
      clock: systemClock,
      log: createSilentLogger(),
      host,
      cgroups: { version: "none", detail: "not mounted", create: () => undefined },
      uids: createUidPool(host.takenUids),
      pipes: await openPipes(8, runCommand),
      seccomp: hasSeccompTable(process.arch) ? assembleSeccomp(process.arch) : Buffer.alloc(0),
      languages: createLanguages(host.nodeBinary),
      ...change,
    };
  };
  const failedOf = (found: SandboxReport): readonly string[] =>
    found.checks.filter((check) => !check.ok).map((check) => check.name);

  test("reports a sandbox that does not start as none, with what it said", async () => {
    const found = await selfTest(await program({ seccomp: Buffer.alloc(8) }));
    expect(found).toMatchObject({ level: "none", tiers: ["quickjs"] });
    expect(failedOf(found)).toEqual(expect.arrayContaining(["start", "memory limit", "process limit"]));
    expect(found.languages.filter((each) => each.available).map((each) => each.id)).toEqual(["javascript"]);
    expect(found.remedy).toBeDefined();
  });

  test("reports no more than standard without control groups", async () => {
    const found = await selfTest(await program({}));
    expect(["standard", "none"]).toContain(found.level);
    expect(failedOf(found)).toContain("control groups");
    expect(found.cgroup).toBe("none");
  });

  test("reports no more than standard without a user id for each program", async () => {
    const base = await program({});
    const found = await selfTest({ ...base, host: { ...base.host, isRoot: false } });
    expect(failedOf(found)).toEqual(expect.arrayContaining(["control groups", "own user id"]));
    expect(found.remedy).toContain("root");
  });

  test("notices control groups that hold nothing", async () => {
    const cgroups: SelfTestDeps["cgroups"] = {
      version: "v2",
      detail: "made up",
      create: () => ({
        joinFiles: ["/dev/null"],
        usage: () => ({ memoryKills: 0, refusedForks: 0 }),
        kill: () => undefined,
        isEmpty: () => true,
        remove: async () => true,
      }),
    };
    const found = await selfTest(await program({ cgroups }));
    expect(found.level).toBe("none");
    expect(failedOf(found)).toEqual(["memory limit", "process limit"]);
  });

  test("notices when the files of a program do not arrive", async () => {
    const base = await program({});
    // Stands for a host without GNU tar: the probe's file is gone before it is collected.
    const languages = base.languages.map((each) => ({ ...each, versionProbe: ["rm", "-f", "/box/probe"] }));
    const found = await selfTest({ ...base, languages });
    expect(found.level).toBe("none");
    expect(failedOf(found)).toContain("files come out");
  });

  test("leaves out languages whose program is not on the host", async () => {
    const base = await program({});
    const languages = base.languages.map((each) =>
      each.id === "python" ? { ...each, versionProbe: ["/usr/bin/no-such-python", "--version"] } : each,
    );
    const found = await selfTest({ ...base, languages });
    expect(found.languages.find((each) => each.id === "python")).toEqual({
      id: "python",
      available: false,
      tiers: [],
    });
    expect(found.languages.find((each) => each.id === "bash")?.available).toBe(true);
  });
});
