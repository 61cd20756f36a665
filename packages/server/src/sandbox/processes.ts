/** What the processes of one sandbox use, for hosts without control groups: read through the sandbox's own /proc. */
import { readdirSync, readFileSync, statSync } from "node:fs";

export interface ProcessesUsage {
  readonly memoryBytes: number;
  /** Of the living, and of the dead that somebody waited for. */
  readonly cpuMs: number;
  /** Processes and threads. */
  readonly tasks: number;
}

/** USER_HZ, the unit of times in /proc, is 100 on every Linux architecture that Node runs on. */
const millisecondsPerTick = 10;

/**
 * Sums the processes of a pid namespace. `/proc/PID/root/proc` is the procfs mounted inside, so only the sandbox's own
 * processes are looked at, however many the host has. `root` is `/proc/PID/root`. Memory that processes share after a fork
 * counts once for each, so the sum is an upper bound. Zero for a sandbox that is not there yet or gone.
 */
export function sumProcesses(root: string): ProcessesUsage {
  let sum: ProcessesUsage = { memoryBytes: 0, cpuMs: 0, tasks: 0 };
  for (const pid of listPids(`${root}/proc`)) {
    const one = readProcess(`${root}/proc/${pid}`);
    if (one === undefined) continue;
    sum = {
      memoryBytes: sum.memoryBytes + one.memoryBytes,
      cpuMs: sum.cpuMs + one.cpuMs,
      tasks: sum.tasks + one.tasks,
    };
  }
  return sum;
}

/**
 * False for a process that is gone or a zombie: the sandbox's pid 1 becomes one only after all others inside are dead
 * (zap_pid_ns_processes of the kernel), and an init that is slow to collect it changes nothing.
 */
export function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !"ZX".includes(stat.charAt(stat.lastIndexOf(")") + 2));
  } catch {
    return false; // ENOENT: collected already
  }
}

/**
 * Bytes in memory of all processes, shared pages divided by their sharers (proc_pid_smaps(5)). Exact but slow: the kernel
 * walks all page tables, so this is asked only when `sumProcesses` is above the limit.
 */
export function sumMemoryExactly(root: string): number {
  return listPids(`${root}/proc`).reduce(
    (sum, pid) => sum + readShare(`${root}/proc/${pid}/smaps_rollup`),
    0,
  );
}

function readShare(file: string): number {
  try {
    return parseShare(readFileSync(file, "utf8"));
  } catch {
    return 0; // the process has ended meanwhile
  }
}

/** Its own part of anonymous, shared and swapped memory, in bytes; files of the system are not counted. */
export function parseShare(rollup: string): number {
  const kibibytes = ["Pss_Anon", "Pss_Shmem", "SwapPss"].map((name) => findKibibytes(rollup, name));
  return kibibytes.reduce((sum, each) => sum + each, 0) * 1024;
}

function listPids(folder: string): readonly string[] {
  try {
    // While bwrap still builds the new root, the old one is seen here, with all processes of the host.
    if (statSync(folder).dev === statSync("/proc").dev) return [];
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // the sandbox has ended
  }
}

function readProcess(folder: string): ProcessesUsage | undefined {
  try {
    return parseProcess(readFileSync(`${folder}/stat`, "utf8"), readFileSync(`${folder}/status`, "utf8"));
  } catch {
    return undefined; // the process has ended meanwhile
  }
}

/** From the texts of proc_pid_stat(5) and proc_pid_status(5). Memory mapped from files is not counted: it is shared. */
export function parseProcess(stat: string, status: string): ProcessesUsage {
  // The command's name comes second, in parentheses, and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  const kibibytes = ["RssAnon", "RssShmem", "VmSwap"].map((name) => findKibibytes(status, name));
  return {
    memoryBytes: kibibytes.reduce((sum, each) => sum + each, 0) * 1024,
    cpuMs: (field(14) + field(15) + field(16) + field(17)) * millisecondsPerTick,
    tasks: field(20),
  };
}

function findKibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
}
