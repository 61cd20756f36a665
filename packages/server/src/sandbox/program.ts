/** Runs one program in one bubblewrap sandbox from start to the last dead process, and says which limit ended it. */
import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { Cgroup, CgroupHost, CgroupUsage } from "./cgroup.ts";
import { ownProcesses } from "./cgroup.ts";
import { startChild } from "./child.ts";
import type { SandboxChild } from "./child.ts";
import { buildCommand, effectiveFileBytes } from "./command.ts";
import type { SandboxHost, UidPool } from "./host.ts";
import { inputSources, listInputs, noInputs } from "./inputs.ts";
import type { FileDigest, InputList } from "./inputs.ts";
import type { ProgramFile, ReadOnlyMount } from "./languages.ts";
import { collectOutputs } from "./outputs.ts";
import type { CollectedOutputs } from "./outputs.ts";
import type { OutputPipe, PipePool } from "./pipes.ts";
import { isRunning, sumProcesses } from "./processes.ts";
import type { ProcessesUsage } from "./processes.ts";
import type { LimitName, SandboxLimits, SandboxOutcome } from "./sandbox.ts";
import { writeTar } from "./tar.ts";

/** A program as the sandbox sees it: no languages any more, only what to run on which files. */
export interface Program {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly ProgramFile[];
  readonly mounts: readonly ReadOnlyMount[];
  /** See `Language.reservedBytes`. */
  readonly reservedBytes: number;
  readonly limits: SandboxLimits;
  /** The one of `files` that is stdin; a file, since a program may open /dev/stdin again or seek in it. */
  readonly stdinFile: string | undefined;
  readonly inputFolder: string | undefined;
  readonly outputFolder: string;
  readonly signal: AbortSignal;
}

export interface ProgramDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: SandboxHost;
  readonly cgroups: CgroupHost;
  readonly uids: UidPool;
  readonly pipes: PipePool;
  /** The assembled filter. */
  readonly seccomp: Buffer;
}

/** Limits that nobody announces are looked for this often. */
const watchEveryMs = 50;

/** A program's files may take this long to come out after its wall time has ended. */
const collectMs = 10_000;

/**
 * Resolves when nothing of the program is alive any more. Rejects SANDBOX_REQUEST_INVALID when the inputs do not fit,
 * SANDBOX_FAILED when the sandbox could not be set up, and with the signal's reason when it was aborted.
 */
export async function runProgram(program: Program, deps: ProgramDeps): Promise<SandboxOutcome> {
  const { host, uids, log } = deps;
  const inputs = program.inputFolder === undefined ? noInputs : await listInputs(program.inputFolder);
  requireRoom(inputs, program.limits);
  program.signal.throwIfAborted();
  await using held = new AsyncDisposableStack();
  const uid = host.isRoot ? held.adopt(uids.take(), uids.give) : undefined;
  const pipes = [
    held.adopt(deps.pipes.take(), deps.pipes.give),
    held.adopt(deps.pipes.take(), deps.pipes.give),
  ] as const;
  const cgroup = deps.cgroups.create(program.limits);
  held.defer(() => {
    // Not awaited: the kernel may take tens of milliseconds, and nothing is alive inside.
    void cgroup?.remove().then((isGone) => {
      if (!isGone) log.warn({ files: cgroup.joinFiles }, "a control group could not be removed");
    });
  });
  return await runInside({ program, inputs, uid, cgroup, pipes, deps });
}

interface Setup {
  readonly program: Program;
  readonly inputs: InputList;
  readonly uid: number | undefined;
  readonly cgroup: Cgroup | undefined;
  readonly pipes: readonly [OutputPipe, OutputPipe];
  readonly deps: ProgramDeps;
}

/** What is known of a running program; the first limit and the first error count. */
interface Progress {
  readonly startedAtMs: number;
  /** When the program itself ended: its files began to come out. */
  endedAtMs: number | undefined;
  limitHit: LimitName | undefined;
  isStopped: boolean;
  error: Error | undefined;
  /** The most that was seen at one time, on a host without control groups. */
  most: ProcessesUsage | undefined;
}

async function runInside(setup: Setup): Promise<SandboxOutcome> {
  const { program, inputs, cgroup, deps } = setup;
  const digests = new Map<string, FileDigest>();
  const progress: Progress = {
    startedAtMs: deps.clock.monotonic(),
    endedAtMs: undefined,
    limitHit: undefined,
    isStopped: false,
    error: undefined,
    most: undefined,
  };
  const stop = (reason: { readonly limit?: LimitName; readonly error?: Error }): void => {
    if (!progress.isStopped) progress.limitHit = reason.limit;
    progress.error ??= reason.error;
    progress.isStopped = true;
    cgroup?.kill();
    child.kill();
  };
  const child = startChild(commandOf(setup), {
    seccomp: deps.seccomp,
    files: program.files.map((file) => file.content),
    stdout: setup.pipes[0],
    stderr: setup.pipes[1],
    inputs: hasInputs(inputs)
      ? writeTar(inputSources(program.inputFolder ?? "", inputs, digests))
      : undefined,
    outputBytes: program.limits.outputBytes,
    onOutputLimit: () => stop({ limit: "output" }),
    onInputError: (error) => stop({ error }),
  });
  const ended = new AbortController();
  const onAbort = (): void => stop({ error: program.signal.reason as Error });
  program.signal.addEventListener("abort", onAbort);
  void watchLimits({ setup, child, progress, stop }, ended.signal);
  void watchWallTime({ setup, child, progress, stop }, ended.signal);
  const collected = collect(child.outputs, { setup, digests, progress }).catch((error: Error) => {
    stop({ error });
    return undefined;
  });
  try {
    await child.exited;
    progress.endedAtMs ??= deps.clock.monotonic();
    await waitUntilDead(child, cgroup, deps);
    const [outputs] = await Promise.all([collected, child.closed]);
    if (progress.error !== undefined) throw progress.error;
    return describe(setup, { child, progress, outputs: outputs!, refusedInputs: inputs.refused });
  } finally {
    ended.abort();
    program.signal.removeEventListener("abort", onAbort);
  }
}

function commandOf({ program, inputs, uid, cgroup, deps: { host } }: Setup): ReturnType<typeof buildCommand> {
  const stageTo = host.nodeStage;
  const needsStage = stageTo !== undefined && program.mounts.some((mount) => mount.from === host.nodeBinary);
  const folder = host.nodeBinary.slice(0, host.nodeBinary.lastIndexOf("/"));
  return buildCommand({
    argv: program.argv,
    environment: program.environment,
    files: program.files,
    mounts: needsStage
      ? program.mounts.map((mount) => ({ ...mount, from: mount.from.replace(folder, stageTo) }))
      : program.mounts,
    systemMounts: host.systemMounts,
    reservedBytes: program.reservedBytes,
    limits: program.limits,
    hasInputs: hasInputs(inputs),
    stdinFile: program.stdinFile,
    largestInputBytes: inputs.largestFileBytes,
    uid,
    cgroupJoinFiles: cgroup?.joinFiles ?? [],
    inheritedDescriptors: host.inheritedDescriptors,
    stage: needsStage ? { from: folder, to: stageTo } : undefined,
  });
}

function hasInputs(inputs: InputList): boolean {
  return inputs.files.length + inputs.folders.length > 0;
}

function requireRoom(inputs: InputList, { diskBytes }: SandboxLimits): void {
  if (inputs.diskBytes <= diskBytes) return;
  throw new HomeostatError(
    "SANDBOX_REQUEST_INVALID",
    `The work folder takes ${inputs.diskBytes} bytes, more than the disk limit of ${diskBytes}`,
    { inputBytes: inputs.diskBytes, diskBytes },
    { hint: "Raise limits.diskBytes or give the step a smaller folder." },
  );
}

interface Watched {
  readonly setup: Setup;
  readonly child: SandboxChild;
  readonly progress: Progress;
  stop(reason: { readonly limit: LimitName }): void;
}

/** Memory and processor time of all processes together; per-process limits alone are escaped by forking. */
async function watchLimits({ setup, child, progress, stop }: Watched, ended: AbortSignal): Promise<void> {
  const { program, cgroup, deps } = setup;
  const { limits } = program;
  while (await slept(watchEveryMs, deps.clock, ended)) {
    if (cgroup !== undefined) {
      const limit = findKernelLimit(cgroup.usage(), limits);
      if (limit !== undefined) stop({ limit });
      continue;
    }
    const pid = child.innerPid();
    if (pid === undefined) continue;
    const now = sumProcesses(`/proc/${pid}/root`);
    if (now.tasks === 0) continue; // not yet there, or gone
    progress.most = mostOf(progress.most, now);
    const limit = findSummedLimit(progress.most, limits);
    if (limit !== undefined) stop({ limit });
  }
}

function findKernelLimit(usage: CgroupUsage, limits: SandboxLimits): LimitName | undefined {
  if (usage.memoryKills > 0) return "memory";
  return (usage.cpuMs ?? 0) >= limits.cpuSeconds * 1000 ? "cpu" : undefined;
}

function findSummedLimit(usage: ProcessesUsage, limits: SandboxLimits): LimitName | undefined {
  if (usage.memoryBytes > limits.memoryBytes) return "memory";
  if (usage.cpuMs >= limits.cpuSeconds * 1000) return "cpu";
  return usage.tasks >= limits.processes + ownProcesses ? "processes" : undefined;
}

function mostOf(before: ProcessesUsage | undefined, now: ProcessesUsage): ProcessesUsage {
  return {
    memoryBytes: Math.max(before?.memoryBytes ?? 0, now.memoryBytes),
    cpuMs: Math.max(before?.cpuMs ?? 0, now.cpuMs),
    tasks: Math.max(before?.tasks ?? 0, now.tasks),
  };
}

async function watchWallTime({ setup, progress, stop }: Watched, ended: AbortSignal): Promise<void> {
  const { program, deps } = setup;
  if (!(await slept(program.limits.wallMs, deps.clock, ended))) return;
  if (progress.endedAtMs !== undefined && !(await slept(collectMs, deps.clock, ended))) return;
  stop({ limit: "wall" });
}

/** False when `signal` ended the wait. */
async function slept(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

async function collect(
  outputs: Readable,
  {
    setup,
    digests,
    progress,
  }: { setup: Setup; digests: ReadonlyMap<string, FileDigest>; progress: Progress },
): Promise<CollectedOutputs> {
  const { program, deps } = setup;
  const { limits, outputFolder } = program;
  async function* noteBegin(): AsyncGenerator<Buffer> {
    for await (const chunk of outputs) {
      progress.endedAtMs ??= deps.clock.monotonic();
      yield chunk as Buffer; // a stream without encoding gives buffers
    }
  }
  try {
    return await collectOutputs(noteBegin(), {
      outputFolder,
      inputs: digests,
      limits: { diskBytes: limits.diskBytes, fileBytes: effectiveFileBytes(limits) },
    });
  } finally {
    outputs.destroy(); // whoever still writes gets EPIPE
  }
}

/** After the first process has ended the rest is killed until nothing is left; measured below 20 ms. */
async function waitUntilDead(
  child: SandboxChild,
  cgroup: Cgroup | undefined,
  { clock, log }: ProgramDeps,
): Promise<void> {
  const untilMs = clock.monotonic() + 5000;
  while (!(cgroup?.isEmpty() ?? !isRunning(child.innerPid()))) {
    cgroup?.kill();
    child.kill();
    if (clock.monotonic() > untilMs) return log.error({ pid: child.innerPid() }, "a sandbox did not die");
    await clock.sleep(1);
  }
}

interface Ending {
  readonly child: SandboxChild;
  readonly progress: Progress;
  readonly outputs: CollectedOutputs;
  readonly refusedInputs: SandboxOutcome["refused"];
}

function describe(
  { program, cgroup }: Setup,
  { child, progress, outputs, refusedInputs }: Ending,
): SandboxOutcome {
  const result = child.result();
  const usage = cgroup?.usage();
  const exit = progress.isStopped ? killedExit : readExit(result.exitCode, result.signal);
  const { limits } = program;
  const limitHit =
    progress.limitHit ??
    (usage === undefined ? undefined : findKernelLimit(usage, limits)) ??
    signalLimits[exit.signal ?? ""] ??
    outputs.limitHit ??
    ((usage?.refusedForks ?? 0) > 0 ? "processes" : undefined);
  if (!result.hasReported && !progress.isStopped && limitHit === undefined) throw setupFailed(result.stderr);
  const cpuMs = usage?.cpuMs ?? progress.most?.cpuMs;
  const peakMemoryBytes = usage?.peakMemoryBytes ?? progress.most?.memoryBytes;
  return {
    tier: "bubblewrap",
    ...exit,
    ...(limitHit === undefined ? {} : { limitHit }),
    stdout: result.stdout,
    stderr: result.stderr,
    durationMs: progress.endedAtMs! - progress.startedAtMs,
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    written: outputs.written,
    deleted: outputs.deleted,
    refused: [...refusedInputs, ...outputs.refused],
  };
}

const killedExit = { exitCode: null, signal: "SIGKILL" } as const;

/** The signals by which the kernel reports RLIMIT_CPU and RLIMIT_FSIZE. */
const signalLimits: Readonly<Record<string, LimitName>> = { SIGXCPU: "cpu", SIGXFSZ: "file-size" };

/** Shells and bwrap report death by signal N as 128 + N; both forms are kept, since a program may also exit with that number. */
function readExit(
  exitCode: number | null,
  signal: string | null,
): Pick<SandboxOutcome, "exitCode" | "signal"> {
  return { exitCode, signal: signal ?? signalNames[(exitCode ?? 0) - 128] ?? null };
}

/** Signal numbers common to x86_64 and aarch64, signal(7). */
const signalNames: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  31: "SIGSYS",
};

function setupFailed(stderr: string): HomeostatError {
  const reason = stderr.trim().slice(0, 500) || "no reason given";
  return new HomeostatError("SANDBOX_FAILED", `The sandbox could not be set up: ${reason}`, { reason });
}
