/** What a finished program is reported as: its exit, its usage, and the first limit it hit. */
import { HomeostatError } from "../base/error.ts";
import type { CgroupUsage } from "./cgroup.ts";
import type { ChildResult } from "./child.ts";
import type { CollectedOutputs } from "./outputs.ts";
import type { LimitName, SandboxLimits, SandboxOutcome } from "./sandbox.ts";
import { findKernelLimit } from "./watch.ts";
import type { Progress } from "./watch.ts";

export interface Ending {
  readonly limits: SandboxLimits;
  readonly result: ChildResult;
  /** Undefined on hosts without control groups. */
  readonly usage: CgroupUsage | undefined;
  readonly progress: Progress;
  readonly durationMs: number;
  readonly outputs: CollectedOutputs;
  readonly refusedInputs: SandboxOutcome["refused"];
}

/** Throws SANDBOX_FAILED when the sandbox itself could not be set up. */
export function describeOutcome(ending: Ending): SandboxOutcome {
  const { result, usage, progress, outputs } = ending;
  const exit = progress.isStopped ? killedExit : readExit(result.exitCode, result.signal);
  const limitHit = findLimit(ending, exit.signal);
  if (!result.hasReported && !progress.isStopped && limitHit === undefined) throw setupFailed(result.stderr);
  const cpuMs = usage?.cpuMs ?? progress.most?.cpuMs;
  const peakMemoryBytes = usage?.peakMemoryBytes ?? progress.most?.memoryBytes;
  return {
    tier: "bubblewrap",
    ...exit,
    ...(limitHit === undefined ? {} : { limitHit }),
    stdout: result.stdout,
    stderr: result.stderr,
    durationMs: ending.durationMs,
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    written: outputs.written,
    deleted: outputs.deleted,
    refused: [...ending.refusedInputs, ...outputs.refused],
  };
}

/** What ended the program comes first, then what the kernel counted, what signals say, and what the files show. */
function findLimit(
  { limits, usage, progress, outputs }: Ending,
  signal: string | null,
): LimitName | undefined {
  if (progress.limitHit !== undefined) return progress.limitHit;
  const counted = usage === undefined ? undefined : findKernelLimit(usage, limits);
  const refusedFork = usage !== undefined && usage.refusedForks > 0 ? ("processes" as const) : undefined;
  return counted ?? signalLimits[signal ?? ""] ?? outputs.limitHit ?? refusedFork;
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
