/** Tests of finding out which limit ended a program: from the kernel's counts, from /proc, from its exit. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import type { CgroupUsage } from "./cgroup.ts";
import { defaultLimits, mergeLimits } from "./limits.ts";
import { describeOutcome } from "./outcome.ts";
import type { Ending } from "./outcome.ts";
import { isRunning, parseProcess, parseShare, sumMemoryExactly, sumProcesses } from "./processes.ts";
import type { LimitName } from "./sandbox.ts";
import { watchLimits, watchWallTime } from "./watch.ts";
import type { Progress, Watched } from "./watch.ts";

const quiet: CgroupUsage = { cpuMs: 5, peakMemoryBytes: 100, memoryKills: 0, refusedForks: 0 };

function progress(change: Partial<Progress> = {}): Progress {
  return {
    startedAtMs: 0,
    endedAtMs: undefined,
    limitHit: undefined,
    isStopped: false,
    error: undefined,
    most: undefined,
    ...change,
  };
}

function ending(change: Partial<Ending> = {}): Ending {
  return {
    limits: defaultLimits,
    result: { exitCode: 0, signal: null, hasReported: true, stdout: "out", stderr: "err" },
    usage: quiet,
    progress: progress(),
    durationMs: 12,
    outputs: { written: ["a"], deleted: ["b"], refused: [{ path: "c", reason: "link" }] },
    refusedInputs: [{ path: "d", reason: "pipe" }],
    ...change,
  };
}

function exit(exitCode: number | null, signal: string | null = null): Ending["result"] {
  return { exitCode, signal, hasReported: exitCode !== null, stdout: "", stderr: "" };
}

describe("the outcome", () => {
  test("of a program that ended by itself has everything that is known", () => {
    expect(describeOutcome(ending())).toEqual({
      tier: "bubblewrap",
      exitCode: 0,
      signal: null,
      stdout: "out",
      stderr: "err",
      durationMs: 12,
      cpuMs: 5,
      peakMemoryBytes: 100,
      written: ["a"],
      deleted: ["b"],
      refused: [
        { path: "d", reason: "pipe" },
        { path: "c", reason: "link" },
      ],
    });
  });

  test("names the signal behind an exit code above 128", () => {
    const exits = [exit(139), exit(137), exit(128), exit(255), exit(7), exit(null, "SIGKILL"), exit(null)];
    const outcomes = exits.map((result) =>
      describeOutcome(ending({ result, progress: progress({ limitHit: "wall" }), usage: undefined })),
    );
    expect(outcomes.map(({ exitCode, signal }) => [exitCode, signal])).toEqual([
      [139, "SIGSEGV"],
      [137, "SIGKILL"],
      [128, null],
      [255, null],
      [7, null],
      [null, "SIGKILL"],
      [null, null],
    ]);
  });

  test.each<[LimitName | undefined, Partial<Ending>]>([
    [
      "wall",
      { progress: progress({ limitHit: "wall", isStopped: true }), usage: { ...quiet, memoryKills: 1 } },
    ],
    ["memory", { usage: { ...quiet, memoryKills: 1 }, result: exit(null, "SIGKILL") }],
    ["cpu", { usage: { ...quiet, cpuMs: 30_000 } }],
    ["cpu", { result: exit(152) }],
    [
      "file-size",
      { result: exit(153), outputs: { written: [], deleted: [], refused: [], limitHit: "disk" } },
    ],
    [
      "disk",
      {
        outputs: { written: [], deleted: [], refused: [], limitHit: "disk" },
        usage: { ...quiet, refusedForks: 1 },
      },
    ],
    ["processes", { usage: { ...quiet, refusedForks: 1 } }],
    [undefined, { usage: { memoryKills: 0, refusedForks: 0 } }],
    [undefined, { usage: undefined }],
  ])("names %s", (limitHit, change) => {
    expect(describeOutcome(ending(change)).limitHit).toBe(limitHit);
  });

  test("tells what was summed where there are no control groups", () => {
    const most = { memoryBytes: 7, cpuMs: 8, tasks: 1 };
    expect(describeOutcome(ending({ usage: undefined, progress: progress({ most }) }))).toMatchObject({
      cpuMs: 8,
      peakMemoryBytes: 7,
    });
    expect(describeOutcome(ending({ usage: undefined }))).not.toHaveProperty("cpuMs");
  });

  test("is an error with bwrap's own words when there was no sandbox", () => {
    const result = {
      exitCode: 1,
      signal: null,
      hasReported: false,
      stdout: "",
      stderr: "bwrap: no permission\n",
    };
    expect(() => describeOutcome(ending({ result }))).toThrow(
      expect.objectContaining({
        code: "SANDBOX_FAILED",
        message: "The sandbox could not be set up: bwrap: no permission",
      }),
    );
    expect(() => describeOutcome(ending({ result: { ...result, stderr: "" } }))).toThrow("no reason given");
  });
});

/** Runs the watcher on a clock by hand until it stops the program, at most 20 rounds. */
async function watchFor(
  watch: typeof watchLimits,
  change: Partial<Watched>,
  rounds = 20,
): Promise<LimitName | undefined> {
  const clock = createManualClock();
  const ended = new AbortController();
  let found: LimitName | undefined;
  const watched: Watched = {
    limits: defaultLimits,
    clock,
    cgroup: undefined,
    progress: progress(),
    innerPid: () => undefined,
    stop: ({ limit }) => (found ??= limit),
    ...change,
  };
  const done = watch(watched, ended.signal);
  for (let round = 0; round < rounds && found === undefined; round += 1) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  ended.abort();
  await done;
  return found;
}

describe("the watchers", () => {
  test("stop a program that the kernel had to kill for memory, or that used up its processor time", async () => {
    expect(await watchFor(watchLimits, { cgroup: { usage: () => quiet } })).toBeUndefined();
    expect(await watchFor(watchLimits, { cgroup: { usage: () => ({ ...quiet, memoryKills: 1 }) } })).toBe(
      "memory",
    );
    expect(await watchFor(watchLimits, { cgroup: { usage: () => ({ ...quiet, cpuMs: 30_001 }) } })).toBe(
      "cpu",
    );
  });

  test("do not look at a group any more once the program has ended", async () => {
    const clock = createManualClock();
    const ended = new AbortController();
    const usage = (): CgroupUsage => {
      throw new Error("the group is gone");
    };
    const watched = {
      limits: defaultLimits,
      clock,
      cgroup: { usage },
      progress: progress(),
      innerPid: () => undefined,
      stop: () => undefined,
    };
    const done = watchLimits(watched, ended.signal);
    clock.advance(50);
    ended.abort();
    await done;
  });

  test("see nothing of a sandbox that is not there yet, or whose root is still the host's", async () => {
    const ours = progress();
    expect(await watchFor(watchLimits, { progress: ours })).toBeUndefined();
    expect(await watchFor(watchLimits, { progress: ours, innerPid: () => process.pid })).toBeUndefined();
    expect(ours.most).toBeUndefined();
  });

  test("stop a program at its wall time, and its collection ten seconds later", async () => {
    const limits = mergeLimits({ wallMs: 100 });
    expect(await watchFor(watchWallTime, { limits }, 1)).toBeUndefined();
    expect(await watchFor(watchWallTime, { limits }, 3)).toBe("wall");
    expect(
      await watchFor(watchWallTime, { limits, progress: progress({ endedAtMs: 50 }) }, 100),
    ).toBeUndefined();
    expect(await watchFor(watchWallTime, { limits, progress: progress({ endedAtMs: 50 }) }, 210)).toBe(
      "wall",
    );
  });
});

describe("processes in /proc", () => {
  test("are read as proc(5) says, whatever their name", () => {
    const stat = `7 (a ) b (c) R 1 7 7 0 -1 4194560 1 0 0 0 11 22 3 4 20 0 5 0 99 1000 10 18446744073709551615`;
    const status =
      "Name:\ta\nRssAnon:\t     100 kB\nRssFile:\t 900 kB\nRssShmem:\t  20 kB\nVmSwap:\t       3 kB\n";
    expect(parseProcess(stat, status)).toEqual({ memoryBytes: 123 * 1024, cpuMs: 400, tasks: 5 });
    expect(parseProcess("7 (kthread) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0", "Name:\tk\n").memoryBytes).toBe(
      0,
    );
    expect(parseShare("Rss: 900 kB\nPss_Anon:      10 kB\nPss_Shmem:  5 kB\nSwapPss:  1 kB\n")).toBe(
      16 * 1024,
    );
  });

  test("of no sandbox add up to nothing", () => {
    expect(sumProcesses("/nowhere")).toEqual({ memoryBytes: 0, cpuMs: 0, tasks: 0 });
    expect(sumProcesses("")).toEqual({ memoryBytes: 0, cpuMs: 0, tasks: 0 });
    expect(sumMemoryExactly("/nowhere")).toBe(0);
  });

  test("that end while they are read count for nothing", async () => {
    const root = await mkdtemp(join(tmpdir(), "homeostat-proc-"));
    await mkdir(join(root, "proc/7"), { recursive: true });
    expect(sumProcesses(root)).toEqual({ memoryBytes: 0, cpuMs: 0, tasks: 0 });
    expect(sumMemoryExactly(root)).toBe(0);
    await rm(root, { recursive: true });
  });

  test("are running until they are gone", () => {
    expect([undefined, process.pid, 2 ** 30].map(isRunning)).toEqual([false, true, false]);
  });
});
