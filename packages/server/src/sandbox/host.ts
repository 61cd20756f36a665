/** What this host brings for the bubblewrap tier: program versions, system folders, and user ids nobody uses. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { RunCommand } from "./host-command.ts";

export interface SandboxHost {
  /** For example `0.8.0`; undefined when bwrap is not installed. */
  readonly bubblewrapVersion: string | undefined;
  /** Node's name of the processor. */
  readonly architecture: string;
  readonly isRoot: boolean;
  readonly systemMounts: readonly SystemMount[];
  /** Real path of the Node binary that programs run on. */
  readonly nodeBinary: string;
  /**
   * Set when an unused uid cannot reach the Node binary, because it lies below a private home folder: a folder of the host
   * over which a tmpfs with the binary is then mounted, in a mount namespace of that one run.
   */
  readonly nodeStage: string | undefined;
  /** The user ids of /etc/passwd. */
  readonly takenUids: ReadonlySet<number>;
  /** Descriptors this process was itself started with and that every child would inherit: the sandbox closes them. */
  readonly inheritedDescriptors: readonly number[];
}

/** A system folder of the root: a link on systems with one /usr, a folder of its own on older ones. */
export type SystemMount =
  | { readonly kind: "bind"; readonly path: string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string };

export interface HostDeps {
  readonly nodeBinary: string;
  readonly architecture: string;
  readonly uid: number;
  readonly runCommand: RunCommand;
}

/** Asks the host; a few milliseconds. */
export async function findHost({
  nodeBinary,
  architecture,
  uid,
  runCommand,
}: HostDeps): Promise<SandboxHost> {
  const isRoot = uid === 0;
  const realBinary = realpathSync(nodeBinary);
  return {
    bubblewrapVersion: await findBubblewrapVersion(runCommand),
    architecture,
    isRoot,
    systemMounts: ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"].flatMap(findSystemMount),
    nodeBinary: realBinary,
    nodeStage: !isRoot || isReachable(realBinary) ? undefined : findStage(["/mnt", "/media", "/srv"]),
    takenUids: parsePasswd(readFileSync("/etc/passwd", "utf8")),
    inheritedDescriptors: findInheritedDescriptors("/proc/self/fdinfo"),
  };
}

/** The version `bwrap` prints; undefined when there is none. */
export async function findBubblewrapVersion(runCommand: RunCommand): Promise<string | undefined> {
  const answer = await runCommand({ command: "bwrap", args: ["--version"], timeoutMs: 5000 });
  return /^bubblewrap (\d[\w.]*)/.exec(answer.stdout)?.[1];
}

/** 0.8.0 was the first with --disable-userns; 0.7.0 with --size. Older ones cannot hold what is promised here. */
export function isRecentEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 0 || minor >= 8;
}

/** The third field of every line of passwd(5). */
export function parsePasswd(text: string): ReadonlySet<number> {
  return new Set(
    text.split("\n").flatMap((line) => (line.includes(":") ? [Number(line.split(":")[2])] : [])),
  );
}

/** True when a user who owns nothing can open the file: every folder above lets others pass, and the file be read. */
export function isReachable(path: string): boolean {
  for (let folder = dirname(path); folder !== "/"; folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0) return false;
  return (statSync(path).mode & 0o005) === 0o005;
}

/** The first of the folders that exists; undefined when none does. */
export function findStage(candidates: readonly string[]): string | undefined {
  return candidates.find((each) => lstatSync(each, { throwIfNoEntry: false })?.isDirectory() === true);
}

/** How a top-level folder of the host is to appear inside; nothing when the host has none. */
export function findSystemMount(path: string): readonly SystemMount[] {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return [];
  return status.isSymbolicLink()
    ? [{ kind: "symlink", path, target: readlinkSync(path) }]
    : [{ kind: "bind", path }];
}

/** O_CLOEXEC of fcntl.h on Linux; /proc/PID/fdinfo/N prints the flags in octal. */
const closeOnExec = 0o2_000_000;

/** All above stderr without the close-on-exec flag. Node sets the flag on whatever it opens, so this never changes. */
export function findInheritedDescriptors(folder: string): readonly number[] {
  return readdirSync(folder)
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isInherited(`${folder}/${descriptor}`))
    .sort((a, b) => a - b);
}

function isInherited(path: string): boolean {
  try {
    const [, flags = "0"] = /^flags:\s+([0-7]+)$/m.exec(readFileSync(path, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false; // the descriptor with which the folder was read
  }
}

/** Hands out user ids that no process has, each one again only after all others. */
export interface UidPool {
  /** Throws nothing: with more programs than ids the oldest id is shared, which only RLIMIT_NPROC would notice. */
  take(): number;
  give(uid: number): void;
}

/**
 * 60600 to 60999: between systemd's ranges for home folders (to 60577) and for DynamicUser (from 61184), and below 65536
 * so that containers have them. A shared uid fails under RLIMIT_NPROC, since processes that are just ending still count
 * (measured: 40 % of quick runs); 400 in turn never did.
 */
export function createUidPool(taken: ReadonlySet<number>, first = 60_600, count = 400): UidPool {
  const free = Array.from({ length: count }, (_, index) => first + index).filter((uid) => !taken.has(uid));
  return {
    take() {
      const uid = free.shift()!;
      if (free.length === 0) free.push(uid);
      return uid;
    },
    give(uid) {
      if (!free.includes(uid)) free.push(uid);
    },
  };
}
