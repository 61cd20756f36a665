/** One control group per program: memory and processes limited by the kernel, usage read back, everything in it killed. */
import type { Clock } from "../base/clock.ts";
import { findPlaces, namePrefix } from "./cgroup-places.ts";
import type { CgroupFiles, CgroupPlace, CgroupPlaceDeps } from "./cgroup-places.ts";
import type { SandboxLimits } from "./sandbox.ts";

export interface CgroupDeps extends CgroupPlaceDeps {
  readonly clock: Clock;
  kill(pid: number): void;
  isAlive(pid: number): boolean;
}

export interface CgroupUsage {
  readonly cpuMs?: number;
  readonly peakMemoryBytes?: number;
  /** Processes the kernel killed for want of memory. */
  readonly memoryKills: number;
  /** Forks refused by the process limit. */
  readonly refusedForks: number;
}

export interface Cgroup {
  /** A process of one thread that writes `0`, itself, into each of these joins, before it becomes the sandbox. */
  readonly joinFiles: readonly string[];
  usage(): CgroupUsage;
  /** Sends SIGKILL to everything inside; processes may still be ending afterwards. */
  kill(): void;
  isEmpty(): boolean;
  /** Removes the emptied group; the kernel may hold it for some tens of milliseconds. False when it stayed after 2 s. */
  remove(): Promise<boolean>;
}

export interface CgroupHost {
  readonly version: "v1" | "v2" | "none";
  /** Where groups are made, or why none can be. */
  readonly detail: string;
  /** Undefined when this host has none. Throws the file system's error when the kernel refuses. */
  create(limits: SandboxLimits): Cgroup | undefined;
}

/** Our own processes inside: the two of bwrap, and the step that copies files. */
export const ownProcesses = 3;

/**
 * Finds a place where groups with both limits can be made, by making one. Groups left by a process that was killed are
 * removed on the way. Never throws.
 */
export function openCgroups(deps: CgroupDeps): CgroupHost {
  const reasons: string[] = [];
  for (const place of findPlaces(deps)) {
    try {
      place.prepare();
      for (const folder of place.folders) sweep(folder, deps);
      const host = createHost(place, deps);
      const trial = host.create(trialLimits)!;
      for (const file of trial.joinFiles) deps.files.removeFolder(parentOf(file));
      return host;
    } catch (error) {
      reasons.push(`${place.folders[0]}: ${(error as Error).message}`); // thrown by CgroupFiles: always an Error
    }
  }
  const detail = reasons.length > 0 ? reasons.join("; ") : "no memory and pids controllers are mounted";
  return { version: "none", detail, create: () => undefined };
}

const trialLimits = { memoryBytes: 2 ** 26, diskBytes: 0, processes: 16 } as SandboxLimits; // only these are written

/** Names are `homeostat-PID-NUMBER`; those of a PID that is gone are killed and removed. */
function sweep(folder: string, { files, kill, isAlive }: CgroupDeps): void {
  for (const name of files.list(folder)) {
    const [, pid] = /^homeostat-(\d+)-\d+$/.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      for (const each of members(`${folder}/${name}`, files)) kill(each);
      files.removeFolder(`${folder}/${name}`);
    } catch {
      // Still in use by the kernel or already gone: the next start tries again.
    }
  }
}

function members(folder: string, files: CgroupFiles): readonly number[] {
  return files.read(`${folder}/cgroup.procs`).split("\n").filter(Boolean).map(Number);
}

function parentOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

function createHost(place: CgroupPlace, deps: CgroupDeps): CgroupHost {
  let made = 0;
  return {
    version: place.version,
    detail: place.folders.join(", "),
    create(limits) {
      made += 1;
      const folders = place.folders.map((folder) => `${folder}/${namePrefix}${deps.pid}-${made}`);
      const done: string[] = [];
      try {
        for (const folder of folders) {
          deps.files.makeFolder(folder);
          done.push(folder);
        }
        return place.version === "v1" ? openV1(folders, limits, deps) : openV2(folders[0]!, limits, deps);
      } catch (error) {
        for (const folder of done) deps.files.removeFolder(folder);
        throw error;
      }
    },
  };
}

/** The work folder is a tmpfs, whose pages count as memory of the group: it gets its own bytes on top. */
function memoryOf(limits: SandboxLimits): string {
  return String(limits.memoryBytes + limits.diskBytes);
}

function openV1(folders: readonly string[], limits: SandboxLimits, deps: CgroupDeps): Cgroup {
  const { files } = deps;
  const [memory = "", pids = "", cpu] = folders;
  files.write(`${memory}/memory.limit_in_bytes`, memoryOf(limits));
  writeIfThere(`${memory}/memory.memsw.limit_in_bytes`, memoryOf(limits), files);
  files.write(`${pids}/pids.max`, String(limits.processes + ownProcesses));
  return {
    // Moving one thread spares the kernel a lock that waits for an RCU grace period (Linux 5.5 and newer, measured: 10 ms
    // a program). Version 2 has that only for threaded groups, which cannot limit memory.
    ...lifeOf(folders, "tasks", deps),
    usage: () => ({
      ...(cpu === undefined ? {} : { cpuMs: Number(files.read(`${cpu}/cpuacct.usage`)) / 1e6 }),
      peakMemoryBytes: Number(files.read(`${memory}/memory.max_usage_in_bytes`)),
      memoryKills: findCount(files.read(`${memory}/memory.oom_control`), "oom_kill"),
      refusedForks: findCount(files.read(`${pids}/pids.events`), "max"),
    }),
  };
}

function openV2(folder: string, limits: SandboxLimits, deps: CgroupDeps): Cgroup {
  const { files } = deps;
  files.write(`${folder}/memory.max`, memoryOf(limits));
  writeIfThere(`${folder}/memory.swap.max`, "0", files);
  files.write(`${folder}/memory.oom.group`, "1");
  files.write(`${folder}/pids.max`, String(limits.processes + ownProcesses));
  const life = lifeOf([folder], "cgroup.procs", deps);
  return {
    ...life,
    // Since Linux 5.14 one write kills all at once, forks included.
    kill: () => writeIfThere(`${folder}/cgroup.kill`, "1", files) || life.kill(),
    usage: () => {
      const peak = readIfThere(`${folder}/memory.peak`, files);
      return {
        cpuMs: findCount(files.read(`${folder}/cpu.stat`), "usage_usec") / 1000,
        ...(peak === undefined ? {} : { peakMemoryBytes: Number(peak) }),
        memoryKills: findCount(files.read(`${folder}/memory.events`), "oom_kill"),
        refusedForks: findCount(files.read(`${folder}/pids.events`), "max"),
      };
    },
  };
}

function lifeOf(
  folders: readonly string[],
  joinFile: "tasks" | "cgroup.procs",
  { files, clock, kill }: CgroupDeps,
): Pick<Cgroup, "joinFiles" | "kill" | "isEmpty" | "remove"> {
  return {
    joinFiles: folders.map((folder) => `${folder}/${joinFile}`),
    // The list is read from the pids controller in v1: every group holds the same processes.
    kill: () => members(folders[0]!, files).forEach(kill),
    isEmpty: () => folders.every((folder) => members(folder, files).length === 0),
    async remove() {
      const left = new Set(folders);
      const untilMs = clock.monotonic() + 2000;
      for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 50)) {
        for (const folder of left) {
          try {
            files.removeFolder(folder);
            left.delete(folder);
          } catch {
            // EBUSY while the kernel lets go of the last process.
          }
        }
        if (left.size === 0) return true;
        if (clock.monotonic() >= untilMs) return false;
        await clock.sleep(pauseMs);
      }
    },
  };
}

/** The number after `name` in lines of `name number`; 0 when the kernel does not keep it. */
function findCount(text: string, name: string): number {
  const [, count = "0"] = new RegExp(`^${name} (\\d+)$`, "m").exec(text) ?? [];
  return Number(count);
}

/** True when the file took it. Used for files that older kernels, or kernels without swap accounting, lack. */
function writeIfThere(path: string, text: string, files: CgroupFiles): boolean {
  try {
    files.write(path, text);
    return true;
  } catch {
    return false; // the caller has another way or does not need it
  }
}

function readIfThere(path: string, files: CgroupFiles): string | undefined {
  try {
    return files.read(path);
  } catch {
    return undefined; // kernels before 5.19 keep no peak
  }
}
