/** Tests of whole programs in the real bubblewrap sandbox of this host, with its control groups and without. */
import { execFileSync } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { Logger } from "../base/log.ts";
import { runInBubblewrap } from "./bubblewrap.ts";
import { startChild } from "./child.ts";
import type { ChildFeeds } from "./child.ts";
import { createUidPool, findHost } from "./host.ts";
import type { SandboxHost } from "./host.ts";
import { runCommand } from "./host-command.ts";
import { createLanguages } from "./languages.ts";
import { mergeLimits } from "./limits.ts";
import type { PartialLimits } from "./limits.ts";
import { openPipes } from "./pipes.ts";
import type { ProgramDeps } from "./program.ts";
import { openHostCgroups } from "./run-code.ts";
import type { LanguageId, SandboxOutcome, SandboxRequest } from "./sandbox.ts";
import { assembleSeccomp, hasSeccompTable } from "./seccomp.ts";

const host = await findHost({
  nodeBinary: process.execPath,
  architecture: process.arch,
  uid: process.getuid!(),
  runCommand,
});
const hasBubblewrap = host.bubblewrapVersion !== undefined && canUnshare();

/** Containers may forbid namespaces; then there is nothing to test, and abuse.test.ts says why. */
function canUnshare(): boolean {
  try {
    execFileSync("bwrap", ["--unshare-user", "--ro-bind", "/", "/", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

let folder = "";
let outputFolder = "";
let inputFolder = "";
let withGroups: ProgramDeps;
let withoutGroups: ProgramDeps;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-program-"));
  if (!hasSeccompTable(process.arch)) return;
  withGroups = {
    clock: systemClock,
    log: createSilentLogger(),
    host,
    cgroups: openHostCgroups(systemClock, host.isRoot),
    uids: createUidPool(host.takenUids),
    pipes: await openPipes(8, runCommand),
    seccomp: assembleSeccomp(process.arch),
  };
  withoutGroups = { ...withGroups, cgroups: { version: "none", detail: "", create: () => undefined } };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  inputFolder = await mkdtemp(join(folder, "in-"));
  outputFolder = await mkdtemp(join(folder, "out-"));
});

interface Wish extends Partial<Omit<SandboxRequest, "limits">> {
  readonly limits?: PartialLimits;
  readonly deps?: ProgramDeps;
}

async function run(
  language: LanguageId,
  source: string,
  { limits = {}, deps = withGroups, ...wish }: Wish = {},
): Promise<SandboxOutcome> {
  const record = createLanguages(deps.host.nodeBinary).find(({ id }) => id === language)!;
  const request: SandboxRequest = {
    language,
    source,
    args: [],
    environment: {},
    outputFolder,
    limits: mergeLimits({ wallMs: 20_000 }, limits),
    signal: new AbortController().signal,
    ...wish,
  };
  return await runInBubblewrap(request, record, deps);
}

describe.skipIf(!hasBubblewrap)("programs", () => {
  test.each<[LanguageId, string]>([
    ["python", "import sys\nprint('hello', *sys.argv[1:], sys.stdin.read())"],
    ["javascript", "console.log('hello', ...args, readFile('/dev/stdin'))"],
    [
      "javascript",
      "import { readFileSync } from 'node:fs'; console.log('hello', ...process.argv.slice(2), readFileSync(0, 'utf8'))",
    ],
    [
      "typescript",
      "const words: string[] = process.argv.slice(2); console.log('hello', ...words, readFile('/dev/stdin'))",
    ],
    ["bash", 'echo hello "$@" "$(cat)"'],
  ])("in %s run with arguments and stdin: %s", async (language, source) => {
    const outcome = await run(language, source, { args: ["a", "b  c"], stdin: "typed" });
    expect(outcome).toMatchObject({
      tier: "bubblewrap",
      exitCode: 0,
      signal: null,
      stdout: "hello a b  c typed\n",
      stderr: "",
    });
    expect(outcome.durationMs).toBeGreaterThan(0);
  });

  test("get no stdin, a small environment, and an unknown user", async () => {
    const outcome = await run("bash", "cat; id -u; pwd; env | sort", { environment: { EXTRA: "a b" } });
    const [uid, ...rest] = outcome.stdout.split("\n");
    expect(Number(uid)).toBe(host.isRoot ? Number(uid) : process.getuid!());
    expect(Number(uid)).not.toBe(0);
    expect(rest.filter((line) => !line.startsWith("_="))).toEqual([
      ...["/box", "EXTRA=a b", "HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/bin:/bin", "PWD=/box", "SHLVL=1"],
      ...["TMPDIR=/tmp", "TZ=UTC", ""],
    ]);
  });

  test("can open stdin, stdout and stderr again by name", async () => {
    const outcome = await run("bash", "cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr", {
      stdin: "in\n",
    });
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "in\nout\n", stderr: "err\n" });
  });

  test("tell their exit code and their signal", async () => {
    expect(await run("bash", "exit 7")).toMatchObject({ exitCode: 7, signal: null });
    expect(await run("python", "import os; os.abort()")).toMatchObject({ exitCode: 134, signal: "SIGABRT" });
    expect((await run("python", "1 / 0")).stderr).toContain("ZeroDivisionError");
  });

  test("change a copy of the work folder: what is new, changed or deleted is told, the original stays", async () => {
    await mkdir(join(inputFolder, "sub/empty"), { recursive: true });
    for (const name of ["same", "sub/changed", "gone", "moved"])
      await writeFile(join(inputFolder, name), name);
    await writeFile(join(inputFolder, "locked"), "locked", { mode: 0o400 });
    await symlink("/etc/passwd", join(inputFolder, "link"));
    const source = [
      "set -e; test -d sub/empty; test ! -e link",
      "echo changed >sub/changed; rm gone; mv moved new; echo y >>locked; chmod 000 same",
      "mkdir -p a/b; echo deep >a/b/c; ln same hard; ln -s /etc outside; touch -d 2001-01-01 old",
      "chmod 000 a",
    ].join("\n");
    const outcome = await run("bash", source, { inputFolder });
    expect(outcome).toMatchObject({
      exitCode: 0,
      stderr: "",
      written: ["a/b/c", "hard", "locked", "new", "old", "sub/changed"],
      deleted: ["gone", "moved"],
      refused: [
        { path: "link", reason: "symbolic link, not copied in" },
        { path: "outside", reason: "symbolic link" },
      ],
    });
    expect(await readFile(join(outputFolder, "a/b/c"), "utf8")).toBe("deep\n");
    expect(await readFile(join(inputFolder, "sub/changed"), "utf8")).toBe("sub/changed");
    expect((await stat(join(outputFolder, "hard"))).mode & 0o777).toBe(0o644);
  });

  test("that delete everything, or leave everything as it was, tell that", async () => {
    await writeFile(join(inputFolder, "a"), "x");
    expect(await run("bash", "rm a", { inputFolder })).toMatchObject({ written: [], deleted: ["a"] });
    expect(await run("bash", "cat a", { inputFolder })).toMatchObject({
      stdout: "x",
      written: [],
      deleted: [],
    });
  });

  test("may get inputs larger than a file they may write", async () => {
    await writeFile(join(inputFolder, "large"), Buffer.alloc(1 << 20));
    const outcome = await run("bash", "wc -c <large", { inputFolder, limits: { fileBytes: 4096 } });
    expect(outcome).toMatchObject({ stdout: "1048576\n", written: [], deleted: [] });
    expect(outcome.limitHit).toBeUndefined();
  });

  test("are not started when their inputs do not fit", async () => {
    await writeFile(join(inputFolder, "large"), Buffer.alloc(1 << 20));
    await expect(run("bash", "true", { inputFolder, limits: { diskBytes: 65_536 } })).rejects.toMatchObject({
      code: "SANDBOX_REQUEST_INVALID",
    });
  });

  test("are ended when an input vanishes while it is copied, and the error is told", async () => {
    await writeFile(join(inputFolder, "a"), Buffer.alloc(64 << 10));
    const clock = { ...systemClock };
    const cgroups: ProgramDeps["cgroups"] = {
      ...withoutGroups.cgroups,
      create: () => {
        execFileSync("rm", [join(inputFolder, "a")]); // after the list was made, before it is read
        return undefined;
      },
    };
    await expect(
      run("bash", "sleep 5", { inputFolder, deps: { ...withoutGroups, clock, cgroups } }),
    ).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  test("one after the other get user ids and pipes again", async () => {
    for (let round = 0; round < 6; round += 1)
      expect((await run("bash", `echo ${round}`)).stdout).toBe(`${round}\n`);
    const answers = await Promise.all([1, 2, 3, 4].map((each) => run("bash", `echo ${each}`)));
    expect(answers.map((each) => each.stdout)).toEqual(["1\n", "2\n", "3\n", "4\n"]);
  });

  test("find the same small API in JavaScript as in the QuickJS tier", async () => {
    await mkdir(join(inputFolder, "b"));
    for (const name of ["z", "b/a", "B"]) await writeFile(join(inputFolder, name), "é");
    const source = `
      print(JSON.stringify(listFiles()), readFile("z"), readBytes("z").length);
      writeFile("deep/er/text", "x"); writeFile("bytes", new Uint8Array([0, 255]));
      const args = "redeclared"; console.log(args);`;
    const outcome = await run("javascript", source, { inputFolder });
    expect(outcome).toMatchObject({
      stdout: '["B","b/a","z"] é 2\nredeclared\n',
      written: ["bytes", "deep/er/text"],
    });
    expect([...(await readFile(join(outputFolder, "bytes")))]).toEqual([0, 255]);
  });
});

describe.skipIf(!hasBubblewrap).each(["with", "without"] as const)("limits %s control groups", (kind) => {
  const withDeps = (): ProgramDeps => (kind === "with" ? withGroups : withoutGroups);

  test("wall time ends a program within 100 ms and nothing stays alive", async () => {
    const source = "sleep 987.654 & setsid sleep 987.654 & trap '' TERM INT; sleep 987.654";
    const startedAtMs = performance.now();
    const outcome = await run("bash", source, { deps: withDeps(), limits: { wallMs: 300 } });
    expect(outcome).toMatchObject({ exitCode: null, signal: "SIGKILL", limitHit: "wall", written: [] });
    // 100 ms are promised on an idle machine; tests share theirs.
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
    const alive = execFileSync("sh", [
      "-c",
      "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true",
    ]).toString();
    expect(alive).not.toContain("sleep 987.654");
  });

  test("output beyond the limit ends a program and what came before is kept", async () => {
    const outcome = await run("bash", "echo first; yes", { deps: withDeps(), limits: { outputBytes: 1000 } });
    expect(outcome).toMatchObject({ limitHit: "output", signal: "SIGKILL" });
    expect(outcome.stdout.startsWith("first\ny\ny\n")).toBe(true);
    expect(Buffer.byteLength(outcome.stdout)).toBe(1000);
  });

  test("processor time of all processes is summed", async () => {
    const source = "for i in 1 2 3; do (while :; do :; done) & done; wait";
    const outcome = await run("bash", source, { deps: withDeps(), limits: { cpuSeconds: 1 } });
    expect(outcome.limitHit).toBe("cpu");
    expect(outcome.cpuMs).toBeGreaterThan(500);
  });

  test("memory of all processes is summed", async () => {
    const source = [
      "import os, time",
      "for _ in range(4):",
      "    if os.fork() == 0:",
      "        held = os.urandom(20 << 20)",
      "        time.sleep(10)",
      "        os._exit(0)",
      "os.wait()",
      "time.sleep(10)",
    ].join("\n");
    const limits = { memoryBytes: 48 << 20, diskBytes: 1 << 20 };
    expect(await run("python", source, { deps: withDeps(), limits })).toMatchObject({ limitHit: "memory" });
  });

  test("memory that forked processes share counts once", async () => {
    const source = [
      "import os, time",
      "held = os.urandom(20 << 20)",
      "for _ in range(8):",
      "    if os.fork() == 0:",
      "        time.sleep(0.5)",
      "        os._exit(0)",
      "for _ in range(8): os.wait()",
    ].join("\n");
    const outcome = await run("python", source, {
      deps: withDeps(),
      limits: { memoryBytes: 96 << 20, diskBytes: 1 << 20 },
    });
    expect(outcome).toMatchObject({ exitCode: 0 });
    expect(outcome.limitHit).toBeUndefined();
  });

  test("a full disk, a file of the full size and too many processes are named", async () => {
    const deps = withDeps();
    const fill = "for i in 1 2 3 4 5; do head -c 400K /dev/zero >f$i || true; done";
    expect((await run("bash", fill, { deps, limits: { diskBytes: 1 << 20 } })).limitHit).toBe("disk");
    const large = "trap '' XFSZ; head -c 1M /dev/zero >large || true";
    expect((await run("bash", large, { deps, limits: { fileBytes: 65_536 } })).limitHit).toBe("file-size");
    expect(
      (await run("bash", "head -c 1M /dev/zero >large", { deps, limits: { fileBytes: 65_536 } })).limitHit,
    ).toBe("file-size");
    const forks =
      "import os, time\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(3); os._exit(0)\nexcept OSError: time.sleep(0.3)";
    expect((await run("python", forks, { deps, limits: { processes: 20 } })).limitHit).toBe("processes");
  });

  test("an aborted program is dead when its call rejects with the signal's reason", async () => {
    const abort = new AbortController();
    const running = run("bash", "sleep 987.321", { deps: withDeps(), signal: abort.signal });
    setTimeout(() => abort.abort(new Error("cancelled by a person")), 200);
    await expect(running).rejects.toThrow("cancelled by a person");
    const alive = execFileSync("sh", [
      "-c",
      "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true",
    ]).toString();
    expect(alive).not.toContain("sleep 987.321");
    await expect(run("bash", "true", { deps: withDeps(), signal: abort.signal })).rejects.toThrow(
      "cancelled by a person",
    );
  });
});

describe.skipIf(!hasBubblewrap)("what goes wrong around a program", () => {
  test("a sandbox that cannot be set up is an error with the reason, not a failed program", async () => {
    const broken: SandboxHost = { ...host, systemMounts: [{ kind: "bind", path: "/no/such/folder" }] };
    await expect(run("bash", "true", { deps: { ...withGroups, host: broken } })).rejects.toMatchObject({
      code: "SANDBOX_FAILED",
      message: expect.stringContaining("/no/such/folder") as string,
    });
  });

  test("outputs that the host cannot store are an error of the host, and a run that says nothing does not hide it", async () => {
    const nowhere = "/sys/kernel"; // where nobody can make files, root included
    await expect(run("bash", "echo x >file", { outputFolder: nowhere })).rejects.toThrow("/sys/kernel/file");
    expect(await run("bash", "true", { outputFolder: nowhere })).toMatchObject({ written: [] });
  });

  test("a command that cannot be started is an error and leaves its pipes usable", async () => {
    const pool = await openPipes(2, runCommand);
    const [stdout, stderr] = [pool.take(), pool.take()];
    const feeds: ChildFeeds = {
      seccomp: Buffer.alloc(0),
      files: [],
      stdout,
      stderr,
      inputs: undefined,
      outputBytes: 10,
      onOutputLimit: () => undefined,
      onInputError: () => undefined,
    };
    const missing = startChild({ command: "/no/such/program", args: [], bubblewrapArguments: "" }, feeds);
    missing.outputs.resume();
    await missing.exited;
    await expect(missing.closed).rejects.toMatchObject({
      code: "SANDBOX_FAILED",
      message: expect.stringContaining("ENOENT") as string,
    });
    missing.kill();
    expect(() => startChild({ command: "a\0b", args: [], bubblewrapArguments: "" }, feeds)).toThrow(
      "null bytes",
    );
    pool.give(stdout);
    pool.give(stderr);
    expect(pool.take()).toBe(stdout);
  });

  test("a group that stays behind is warned of", async () => {
    const warnings: string[] = [];
    const log: Logger = { ...createSilentLogger(), warn: (_context, message) => warnings.push(message) };
    const cgroups: ProgramDeps["cgroups"] = {
      version: "v1",
      detail: "",
      create: (limits) => {
        const real = withGroups.cgroups.create(limits);
        const usage = { memoryKills: 0, refusedForks: 0 };
        const none = { joinFiles: [], usage: () => usage, kill: () => undefined, isEmpty: () => true };
        return { ...none, ...real, remove: async () => (await real?.remove(), false) };
      },
    };
    await run("bash", "true", { deps: { ...withGroups, log, cgroups } });
    await systemClock.sleep(100);
    expect(warnings).toEqual(["a control group could not be removed"]);
  });

  test("a program that is aborted while it is being ended for a limit is an aborted one", async () => {
    const abort = new AbortController();
    const untilMs = performance.now() + 600;
    const cgroups: ProgramDeps["cgroups"] = {
      version: "v1",
      detail: "",
      create: () => ({
        joinFiles: [],
        usage: () => ({ memoryKills: 0, refusedForks: 0 }),
        kill: () => undefined,
        isEmpty: () => performance.now() > untilMs,
        remove: async () => true,
      }),
    };
    const limits = { wallMs: 200 };
    const running = run("bash", "sleep 5", {
      limits,
      signal: abort.signal,
      deps: { ...withGroups, cgroups },
    });
    setTimeout(() => abort.abort(new Error("cancelled")), 400);
    await expect(running).rejects.toThrow("cancelled");
  });

  test("a sandbox that does not die within five seconds is logged as an error", async () => {
    const errors: string[] = [];
    const log: Logger = { ...createSilentLogger(), error: (_context, message) => errors.push(message) };
    let nowMs = 0;
    const clock = { ...systemClock, monotonic: () => (nowMs += 1000) };
    const cgroups: ProgramDeps["cgroups"] = {
      version: "v1",
      detail: "",
      create: () => ({
        joinFiles: [],
        usage: () => ({ memoryKills: 0, refusedForks: 0 }),
        kill: () => undefined,
        isEmpty: () => false,
        remove: async () => true,
      }),
    };
    await run("bash", "true", { deps: { ...withGroups, clock, log, cgroups } });
    expect(errors).toEqual(["a sandbox did not die"]);
  });

  test.skipIf(!host.isRoot)(
    "a Node below a private folder runs in a sandbox with its own user id",
    async () => {
      const hidden = await mkdtemp(join(tmpdir(), "homeostat-private-"));
      try {
        await chmod(hidden, 0o700);
        const nodeBinary = join(hidden, "node");
        await copyFile(host.nodeBinary, nodeBinary);
        const staged = await findHost({ nodeBinary, architecture: process.arch, uid: 0, runCommand });
        expect(staged.nodeStage).toBeDefined();
        const deps = { ...withGroups, host: staged };
        expect(await run("javascript", "console.log(1 + 1)", { deps })).toMatchObject({
          stdout: "2\n",
          stderr: "",
        });
        expect(await run("bash", "echo 3", { deps })).toMatchObject({ stdout: "3\n" });
        const both = createLanguages(staged.nodeBinary).find(({ id }) => id === "javascript")!;
        const mounts = [...both.mounts, { from: "/usr/bin/true", to: "/opt/true" }];
        const request = { language: both.id, source: "1", args: [], environment: {}, outputFolder };
        const rest = { limits: mergeLimits(), signal: new AbortController().signal };
        expect(await runInBubblewrap({ ...request, ...rest }, { ...both, mounts }, deps)).toMatchObject({
          exitCode: 0,
        });
        expect(await readdir("/mnt")).not.toContain("node");
      } finally {
        await rm(hidden, { recursive: true });
      }
    },
  );
});
