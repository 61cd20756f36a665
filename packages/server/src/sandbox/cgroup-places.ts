/** Where on this host control groups may be made: our own group in v1 or v2, or what was delegated to us. */

/** Every group we make is named `homeostat-PID-NUMBER`. */
export const namePrefix = "homeostat-";

/** The few file operations this needs; the kernel's files are small and never block. */
export interface CgroupFiles {
  makeFolder(path: string): void;
  removeFolder(path: string): void;
  list(path: string): readonly string[];
  read(path: string): string;
  write(path: string, text: string): void;
}

export interface CgroupPlaceDeps {
  readonly files: CgroupFiles;
  readonly pid: number;
  /** Real root also tries the top of the hierarchy, where systemd has switched the controllers on. */
  readonly isRoot: boolean;
}

export interface CgroupPlace {
  readonly version: "v1" | "v2";
  /** In v1 one per controller: memory, pids and, when there, cpuacct. In v2 one. */
  readonly folders: readonly string[];
  prepare(): void;
}

interface Mount {
  readonly root: string;
  readonly path: string;
  readonly isV2: boolean;
  readonly options: readonly string[];
}

/** Candidates in the order in which they should be tried; none when /proc cannot be read. */
export function findPlaces(deps: CgroupPlaceDeps): readonly CgroupPlace[] {
  let own: Map<string, string>;
  let mounts: readonly Mount[];
  try {
    own = parseMembership(deps.files.read("/proc/self/cgroup"));
    mounts = parseMounts(deps.files.read("/proc/self/mountinfo"));
  } catch {
    return []; // without /proc there is nothing to find, which `detail` says
  }
  return [...findV1(own, mounts), ...findV2(own, mounts, deps)];
}

/** Lines `4:memory,cpu:/path`, v2 as `0::/path`; by controller, v2 under the empty name. */
export function parseMembership(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) paths.set(controller, path);
  }
  return paths;
}

/** The cgroup mounts of /proc/self/mountinfo (proc(5)): root, mount point, type and super options. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [type, , options = ""] = right.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const fields = left.split(" ");
    return [{ root: fields[3]!, path: fields[4]!, isV2: type === "cgroup2", options: options.split(",") }];
  });
}

/** Our own group below a mount; a container sees only a part of the tree, so the mount's root is taken off. */
function ownFolder(mount: Mount, own: string | undefined): string {
  const below = own === undefined || own === "/" ? "" : own;
  if (mount.root === "/") return mount.path + below;
  return below.startsWith(mount.root) ? mount.path + below.slice(mount.root.length) : mount.path;
}

function findV1(own: ReadonlyMap<string, string>, mounts: readonly Mount[]): readonly CgroupPlace[] {
  const folders = ["memory", "pids", "cpuacct"].flatMap((controller) => {
    const mount = mounts.find((each) => !each.isV2 && each.options.includes(controller));
    return mount === undefined ? [] : [{ controller, folder: ownFolder(mount, own.get(controller)) }];
  });
  const has = (controller: string): boolean => folders.some((each) => each.controller === controller);
  if (!has("memory") || !has("pids")) return [];
  return [{ version: "v1", folders: folders.map((each) => each.folder), prepare: () => undefined }];
}

function findV2(
  own: ReadonlyMap<string, string>,
  mounts: readonly Mount[],
  deps: CgroupPlaceDeps,
): readonly CgroupPlace[] {
  const mount = mounts.find((each) => each.isV2);
  if (mount === undefined) return [];
  const folders = new Set([ownFolder(mount, own.get("")), ...(deps.isRoot ? [mount.path] : [])]);
  return [...folders].map((folder) => ({
    version: "v2",
    folders: [folder],
    prepare: () => delegate(folder, deps),
  }));
}

/**
 * Switches the controllers on for children. A group with processes in it may not do that (cgroup-v2.rst, "no internal
 * processes"), so on EBUSY this process moves into a leaf of its own first and back when that did not help.
 */
function delegate(folder: string, { files, pid }: CgroupPlaceDeps): void {
  const available = files.read(`${folder}/cgroup.controllers`).trim().split(" ");
  if (!available.includes("memory") || !available.includes("pids"))
    throw new Error("the memory and pids controllers are not delegated to it");
  const enabled = files.read(`${folder}/cgroup.subtree_control`).trim().split(" ");
  if (enabled.includes("memory") && enabled.includes("pids")) return;
  const enable = (): void => files.write(`${folder}/cgroup.subtree_control`, "+memory +pids");
  try {
    enable();
  } catch {
    const leaf = `${folder}/${namePrefix}server`;
    makeAgain(leaf, files);
    files.write(`${leaf}/cgroup.procs`, String(pid));
    try {
      enable();
    } catch (error) {
      files.write(`${folder}/cgroup.procs`, String(pid));
      files.removeFolder(leaf);
      throw error;
    }
  }
}

function makeAgain(folder: string, files: CgroupFiles): void {
  try {
    files.makeFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // thrown by CgroupFiles
  }
}
