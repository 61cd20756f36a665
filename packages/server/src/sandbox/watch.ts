/** Watches a running program for the limits that the kernel does not end it for by itself. */
import type { Clock } from "../base/clock.ts";
import type { Cgroup, CgroupUsage } from "./cgroup.ts";
import { ownProcesses } from "./cgroup.ts";
import { sumMemoryExactly, sumProcesses } from "./processes.ts";
import type { ProcessesUsage } from "./processes.ts";
import type { LimitName, SandboxLimits } from "./sandbox.ts";

/** Limits that nobody announces are looked for this often. */
const watchEveryMs = 50;

/** A program's files may take this long to come out after its wall time has ended. */
const collectMs = 10_000;

/** What is known of a running program; the first limit and the first error count. */
export interface Progress {
  readonly startedAtMs: number;
  /** When the program itself ended: its files began to come out. */
  endedAtMs: number | undefined;
  limitHit: LimitName | undefined;
  isStopped: boolean;
  error: Error | undefined;
  /** The most that was seen at one time, on a host without control groups. */
  most: ProcessesUsage | undefined;
}

export interface Watched {
  readonly limits: SandboxLimits;
  readonly clock: Clock;
  readonly cgroup: Pick<Cgroup, "usage"> | undefined;
  readonly progress: Progress;
  /** See `SandboxChild.innerPid`. */
  innerPid(): number | undefined;
  /** Ends the program; may be called again. */
  stop(reason: { readonly limit: LimitName }): void;
}

/** Memory and processor time of all processes together; per-process limits alone are escaped by forking. Until `ended`. */
export async function watchLimits(watched: Watched, ended: AbortSignal): Promise<void> {
  while (await slept(watchEveryMs, watched.clock, ended)) {
    // Asked again here, without a pause before the group is read: after the end it may be gone.
    if (ended.aborted) return;
    const limit =
      watched.cgroup === undefined
        ? sumLimit(watched)
        : findKernelLimit(watched.cgroup.usage(), watched.limits);
    if (limit !== undefined) watched.stop({ limit });
  }
}

/** Ends the program when its wall time is over, and the collection of its files when that takes too long. */
export async function watchWallTime(
  { limits, clock, progress, stop }: Watched,
  ended: AbortSignal,
): Promise<void> {
  if (!(await slept(limits.wallMs, clock, ended))) return;
  if (progress.endedAtMs !== undefined && !(await slept(collectMs, clock, ended))) return;
  stop({ limit: "wall" });
}

/** The limit a control group shows: memory by what the kernel had to kill, processor time by what was used. */
export function findKernelLimit(usage: CgroupUsage, limits: SandboxLimits): LimitName | undefined {
  if (usage.memoryKills > 0) return "memory";
  return (usage.cpuMs ?? 0) >= limits.cpuSeconds * 1000 ? "cpu" : undefined;
}

function sumLimit({ innerPid, limits, progress }: Watched): LimitName | undefined {
  const pid = innerPid();
  if (pid === undefined) return undefined;
  const root = `/proc/${pid}/root`;
  const sum = sumProcesses(root);
  if (sum.tasks === 0) return undefined; // not yet there, or gone
  const now = sum.memoryBytes <= limits.memoryBytes ? sum : { ...sum, memoryBytes: sumMemoryExactly(root) };
  progress.most = mostOf(progress.most, now);
  return findSummedLimit(progress.most, limits);
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

/** False when `signal` ended the wait. */
async function slept(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch {
    return false; // a clock's sleep rejects only with the signal's reason
  }
}
