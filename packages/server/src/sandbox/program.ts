/** Runs one program in one bubblewrap sandbox from start to the last dead process, and says which limit ended it. */
import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Cgroup, CgroupHost } from "./cgroup.ts";
import { startChild } from "./child.ts";
import type { SandboxChild } from "./child.ts";
import { buildCommand, effectiveFileBytes } from "./command.ts";
import type { SandboxHost, UidPool } from "./host.ts";
import { inputSources, readInputs } from "./inputs.ts";
import type { FileDigest, InputList } from "./inputs.ts";
import type { ProgramFile, ReadOnlyMount } from "./languages.ts";
import { collectOutputs } from "./outputs.ts";
import type { CollectedOutputs } from "./outputs.ts";
import type { OutputPipe, PipePool } from "./pipes.ts";
import { describeOutcome } from "./outcome.ts";
import { isRunning } from "./processes.ts";
import type { LimitName, SandboxLimits, SandboxOutcome } from "./sandbox.ts";
import { writeTar } from "./tar.ts";
import { watchLimits, watchWallTime } from "./watch.ts";
import type { Progress, Watched } from "./watch.ts";

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

/**
 * Resolves when nothing of the program is alive any more. Rejects SANDBOX_REQUEST_INVALID when the inputs do not fit,
 * SANDBOX_FAILED when the sandbox could not be set up, and with the signal's reason when it was aborted.
 */
export async function runProgram(program: Program, deps: ProgramDeps): Promise<SandboxOutcome> {
  const { host, uids, log } = deps;
  const inputs = await readInputs(program.inputFolder, program.limits);
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

async function runInside(setup: Setup): Promise<SandboxOutcome> {
  const { program, cgroup, deps } = setup;
  const digests = new Map<string, FileDigest>();
  const progress: Progress = {
    startedAtMs: deps.clock.monotonic(),
    endedAtMs: undefined,
    limitHit: undefined,
    isStopped: false,
    error: undefined,
    most: undefined,
  };
  const stop: Stop = (reason) => {
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
    inputs: archiveOf(setup, digests),
    outputBytes: program.limits.outputBytes,
    onOutputLimit: () => stop({ limit: "output" }),
    onInputError: (error) => stop({ error }),
  });
  const endWatch = startWatch(setup, { child, progress, stop });
  const collected = collect(child.outputs, { setup, digests, progress }).catch((error: Error) => {
    stop({ error });
    return undefined;
  });
  try {
    await child.exited;
    const endedAtMs = (progress.endedAtMs ??= deps.clock.monotonic());
    await waitUntilDead(child, cgroup, deps);
    const [outputs] = await Promise.all([collected, child.closed]);
    if (progress.error !== undefined) throw progress.error;
    return describeOutcome({
      limits: program.limits,
      result: child.result(),
      usage: cgroup?.usage(),
      progress,
      durationMs: endedAtMs - progress.startedAtMs,
      outputs: outputs!, // undefined only with an error
      refusedInputs: setup.inputs.refused,
    });
  } finally {
    endWatch();
  }
}

type Stop = (reason: { readonly limit?: LimitName; readonly error?: Error }) => void;

interface Running {
  readonly child: SandboxChild;
  readonly progress: Progress;
  readonly stop: Stop;
}

/** Looks after the limits and the caller's signal until the returned function is called. */
function startWatch({ program, cgroup, deps }: Setup, { child, progress, stop }: Running): () => void {
  const ended = new AbortController();
  const onAbort = (): void => stop({ error: program.signal.reason as Error });
  program.signal.addEventListener("abort", onAbort);
  const watched: Watched = {
    limits: program.limits,
    clock: deps.clock,
    cgroup,
    progress,
    innerPid: child.innerPid,
    stop,
  };
  void watchLimits(watched, ended.signal);
  void watchWallTime(watched, ended.signal);
  return () => {
    ended.abort();
    program.signal.removeEventListener("abort", onAbort);
  };
}

function commandOf({ program, inputs, uid, cgroup, deps: { host } }: Setup): ReturnType<typeof buildCommand> {
  const { nodeBinary, nodeStage } = host;
  const needsStage = nodeStage !== undefined && program.mounts.some((mount) => mount.from === nodeBinary);
  const staged = `${nodeStage}/${basename(nodeBinary)}`;
  return buildCommand({
    argv: program.argv,
    environment: program.environment,
    files: program.files,
    mounts: needsStage
      ? program.mounts.map((mount) => (mount.from === nodeBinary ? { ...mount, from: staged } : mount))
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
    stage: needsStage ? { from: nodeBinary, to: nodeStage } : undefined,
  });
}

function archiveOf(
  { program, inputs }: Setup,
  digests: Map<string, FileDigest>,
): AsyncIterable<Buffer> | undefined {
  // Only a folder gives inputs.
  return hasInputs(inputs) ? writeTar(inputSources(program.inputFolder!, inputs, digests)) : undefined;
}

function hasInputs(inputs: InputList): boolean {
  return inputs.files.length + inputs.folders.length > 0;
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
