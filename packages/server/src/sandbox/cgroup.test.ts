/** Tests of control groups on made-up hosts of either version; the real ones are used by program.test.ts and abuse.test.ts. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { openCgroups } from "./cgroup.ts";
import type { CgroupHost } from "./cgroup.ts";
import { findPlaces, parseMembership, parseMounts } from "./cgroup-places.ts";
import type { CgroupFiles } from "./cgroup-places.ts";
import { mergeLimits } from "./limits.ts";

/** A tree of kernel files in memory: folders are made with the files their parent's kind has, and go only when empty of processes. */
interface FakeTree {
  readonly files: CgroupFiles;
  readonly content: Map<string, string>;
  readonly folders: Set<string>;
  /** Every write as `path=text`, in order. */
  readonly writes: string[];
  /** Called before each write; may throw as the kernel would. */
  refuse: (path: string, text: string) => void;
  /** Folders whose removal fails this many times. */
  readonly busy: Map<string, number>;
}

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: refused`), { code });
}

const freshFiles: Readonly<Record<string, string>> = {
  "cgroup.procs": "",
  tasks: "",
  "memory.limit_in_bytes": "",
  "memory.memsw.limit_in_bytes": "",
  "memory.max_usage_in_bytes": "4096\n",
  "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
  "memory.max": "",
  "memory.swap.max": "",
  "memory.oom.group": "",
  "memory.events": "low 0\noom 3\noom_kill 1\n",
  "memory.peak": "8192\n",
  "pids.max": "",
  "pids.events": "max 5\n",
  "cpuacct.usage": "1500000000\n",
  "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
  "cgroup.kill": "",
};

function createTree(given: Readonly<Record<string, string>>, without: readonly string[] = []): FakeTree {
  const content = new Map(Object.entries(given));
  const folders = new Set<string>();
  const tree: FakeTree = {
    content,
    folders,
    writes: [],
    busy: new Map(),
    refuse: () => undefined,
    files: {
      makeFolder(path) {
        tree.refuse(path, "mkdir");
        if (folders.has(path)) throw errno("EEXIST");
        folders.add(path);
        for (const [name, text] of Object.entries(freshFiles))
          if (!without.includes(name)) content.set(`${path}/${name}`, text);
      },
      removeFolder(path) {
        const left = tree.busy.get(path) ?? 0;
        tree.busy.set(path, left - 1);
        if (left > 0 || !folders.delete(path)) throw errno("EBUSY");
      },
      list: (path) =>
        [...folders].filter((each) => each.startsWith(`${path}/`)).map((each) => each.slice(path.length + 1)),
      read(path) {
        const text = content.get(path);
        if (text === undefined) throw errno("ENOENT");
        return text;
      },
      write(path, text) {
        tree.refuse(path, text);
        if (!content.has(path)) throw errno("ENOENT");
        content.set(path, text);
        tree.writes.push(`${path}=${text}`);
      },
    },
  };
  return tree;
}

const v1Mounts = ["memory", "pids", "cpuacct"]
  .map(
    (name, index) =>
      `${30 + index} 20 0:${index} / /sys/fs/cgroup/${name} rw,relatime shared:1 - cgroup cgroup rw,${name}`,
  )
  .join("\n");
const v1: Readonly<Record<string, string>> = {
  "/proc/self/cgroup": "4:memory:/own\n8:pids:/\n2:cpuacct:/\n0::/\nnonsense\n",
  "/proc/self/mountinfo": `${v1Mounts}\n20 1 8:1 / / rw - ext4 /dev/vda rw\n`,
};
const v2: Readonly<Record<string, string>> = {
  "/proc/self/cgroup": "0::/unit\n",
  "/proc/self/mountinfo": "30 20 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
  "/sys/fs/cgroup/unit/cgroup.controllers": "cpu memory pids\n",
  "/sys/fs/cgroup/unit/cgroup.subtree_control": "\n",
  "/sys/fs/cgroup/unit/cgroup.procs": "42\n",
};

interface Opened {
  readonly host: CgroupHost;
  readonly killed: number[];
}

function open(tree: FakeTree, { isRoot = false, alive = [] as readonly number[] } = {}): Opened {
  const killed: number[] = [];
  const host = openCgroups({
    files: tree.files,
    clock: systemClock,
    pid: 42,
    isRoot,
    kill: (pid) => killed.push(pid),
    isAlive: (pid) => alive.includes(pid),
  });
  return { host, killed };
}

const limits = mergeLimits({ memoryBytes: 1 << 28, diskBytes: 1 << 20, processes: 50 });

describe("version 1", () => {
  test("limits memory with the disk on top, and processes with our own on top", () => {
    const tree = createTree(v1);
    const { host } = open(tree);
    expect(host).toMatchObject({
      version: "v1",
      detail: "/sys/fs/cgroup/memory/own, /sys/fs/cgroup/pids, /sys/fs/cgroup/cpuacct",
    });
    expect(tree.folders.size).toBe(0);
    tree.writes.length = 0;
    const group = host.create(limits)!;
    expect(tree.writes).toEqual([
      `/sys/fs/cgroup/memory/own/homeostat-42-2/memory.limit_in_bytes=${(1 << 28) + (1 << 20)}`,
      `/sys/fs/cgroup/memory/own/homeostat-42-2/memory.memsw.limit_in_bytes=${(1 << 28) + (1 << 20)}`,
      "/sys/fs/cgroup/pids/homeostat-42-2/pids.max=53",
    ]);
    expect(group.joinFiles).toEqual([
      "/sys/fs/cgroup/memory/own/homeostat-42-2/tasks",
      "/sys/fs/cgroup/pids/homeostat-42-2/tasks",
      "/sys/fs/cgroup/cpuacct/homeostat-42-2/tasks",
    ]);
    expect(group.usage()).toEqual({ cpuMs: 1500, peakMemoryBytes: 4096, memoryKills: 2, refusedForks: 5 });
  });

  test("kills what is inside, knows when nothing is, and is removed with patience", async () => {
    const tree = createTree(v1);
    const { host, killed } = open(tree);
    const group = host.create(limits)!;
    expect(group.isEmpty()).toBe(true);
    tree.content.set(group.joinFiles[0]!.replace("tasks", "cgroup.procs"), "7\n8\n");
    expect(group.isEmpty()).toBe(false);
    group.kill();
    expect(killed).toEqual([7, 8]);
    tree.busy.set("/sys/fs/cgroup/pids/homeostat-42-2", 3);
    expect(await group.remove()).toBe(true);
    expect(tree.folders.size).toBe(0);
  });

  test("a group the kernel does not let go is told after two seconds", async () => {
    const tree = createTree(v1);
    const group = open(tree).host.create(limits)!;
    tree.busy.set("/sys/fs/cgroup/pids/homeostat-42-2", 1_000_000);
    expect(await group.remove()).toBe(false);
  });

  test("works without accounting of processor time and of swap", () => {
    const mounts = v1Mounts.split("\n").slice(0, 2).join("\n");
    const tree = createTree({ ...v1, "/proc/self/mountinfo": mounts }, ["memory.memsw.limit_in_bytes"]);
    const group = open(tree).host.create(limits)!;
    expect(group.usage()).toEqual({ peakMemoryBytes: 4096, memoryKills: 2, refusedForks: 5 });
    expect(group.joinFiles.length).toBe(2);
  });

  test("a refusal leaves no folders behind", () => {
    const tree = createTree(v1);
    const { host } = open(tree);
    tree.refuse = (path) => {
      if (path.endsWith("pids.max")) throw errno("EINVAL");
    };
    expect(() => host.create(limits)).toThrow("EINVAL");
    expect(tree.folders.size).toBe(0);
  });

  test("groups of processes that are gone are swept, those of the living and of others stay", () => {
    const tree = createTree(v1);
    for (const name of ["homeostat-7-1", "homeostat-8-1", "homeostat-9-1", "docker"])
      tree.files.makeFolder(`/sys/fs/cgroup/pids/${name}`);
    tree.content.set("/sys/fs/cgroup/pids/homeostat-7-1/cgroup.procs", "70\n");
    tree.busy.set("/sys/fs/cgroup/pids/homeostat-9-1", 1);
    const { killed } = open(tree, { alive: [8] });
    expect(killed).toEqual([70]);
    expect([...tree.folders]).toEqual([
      "/sys/fs/cgroup/pids/homeostat-8-1",
      "/sys/fs/cgroup/pids/homeostat-9-1",
      "/sys/fs/cgroup/pids/docker",
    ]);
  });

  test("without the right to make folders there are none, and the reason is told", () => {
    const tree = createTree(v1);
    tree.refuse = () => {
      throw errno("EACCES");
    };
    const { host } = open(tree);
    expect(host).toMatchObject({ version: "none", detail: "/sys/fs/cgroup/memory/own: EACCES: refused" });
    expect(host.create(limits)).toBeUndefined();
  });
});

describe("version 2", () => {
  test("moves this process into a leaf when its group must be free of processes", () => {
    const tree = createTree(v2);
    let isMoved = false;
    tree.refuse = (path, text) => {
      if (path.endsWith("server/cgroup.procs")) isMoved = true;
      if (text.startsWith("+") && !isMoved) throw errno("EBUSY");
    };
    const { host } = open(tree);
    expect(host).toMatchObject({ version: "v2", detail: "/sys/fs/cgroup/unit" });
    expect(tree.writes.slice(0, 2)).toEqual([
      "/sys/fs/cgroup/unit/homeostat-server/cgroup.procs=42",
      "/sys/fs/cgroup/unit/cgroup.subtree_control=+memory +pids",
    ]);
    const group = host.create(limits)!;
    expect(tree.writes.slice(-4)).toEqual([
      `/sys/fs/cgroup/unit/homeostat-42-2/memory.max=${(1 << 28) + (1 << 20)}`,
      "/sys/fs/cgroup/unit/homeostat-42-2/memory.swap.max=0",
      "/sys/fs/cgroup/unit/homeostat-42-2/memory.oom.group=1",
      "/sys/fs/cgroup/unit/homeostat-42-2/pids.max=53",
    ]);
    expect(group.usage()).toEqual({ cpuMs: 2500, peakMemoryBytes: 8192, memoryKills: 1, refusedForks: 5 });
    group.kill();
    expect(tree.writes.at(-1)).toBe("/sys/fs/cgroup/unit/homeostat-42-2/cgroup.kill=1");
  });

  test("uses controllers that are on already, and a leaf that is there already", () => {
    const on = createTree({ ...v2, "/sys/fs/cgroup/unit/cgroup.subtree_control": "memory pids\n" });
    expect(open(on).host.version).toBe("v2");
    expect(on.folders.size).toBe(0);
    const again = createTree(v2);
    again.files.makeFolder("/sys/fs/cgroup/unit/homeostat-server");
    let tries = 0;
    again.refuse = (_path, text) => {
      if (text.startsWith("+") && (tries += 1) === 1) throw errno("EBUSY");
    };
    expect(open(again).host.version).toBe("v2");
  });

  test("kills one by one and does without a peak on older kernels", () => {
    const tree = createTree({ ...v2, "/sys/fs/cgroup/unit/cgroup.subtree_control": "memory pids\n" }, [
      "cgroup.kill",
      "memory.peak",
      "memory.swap.max",
      "cpu.stat",
    ]);
    const { host, killed } = open(tree);
    const group = host.create(limits)!;
    tree.content.set(group.joinFiles[0]!, "7\n");
    tree.content.set(group.joinFiles[0]!.replace("cgroup.procs", "cpu.stat"), "");
    group.kill();
    expect(killed).toEqual([7]);
    expect(group.usage()).toEqual({ cpuMs: 0, memoryKills: 1, refusedForks: 5 });
  });

  test("moves back when others share its group, and root then tries the top", () => {
    const tree = createTree({
      ...v2,
      "/sys/fs/cgroup/cgroup.controllers": "memory pids",
      "/sys/fs/cgroup/cgroup.subtree_control": "memory pids",
    });
    tree.refuse = (_path, text) => {
      if (text.startsWith("+")) throw errno("EBUSY");
    };
    expect(open(tree).host).toMatchObject({ version: "none", detail: "/sys/fs/cgroup/unit: EBUSY: refused" });
    expect(tree.content.get("/sys/fs/cgroup/unit/cgroup.procs")).toBe("42");
    expect(tree.folders.size).toBe(0);
    expect(open(tree, { isRoot: true }).host).toMatchObject({ version: "v2", detail: "/sys/fs/cgroup" });
  });

  test("a leaf that cannot be made is told as such", () => {
    const tree = createTree(v2);
    tree.refuse = () => {
      throw errno("EROFS");
    };
    expect(open(tree).host).toMatchObject({ version: "none", detail: "/sys/fs/cgroup/unit: EROFS: refused" });
  });

  test("groups without the controllers are of no use", () => {
    const tree = createTree({ ...v2, "/sys/fs/cgroup/unit/cgroup.controllers": "cpu\n" });
    expect(open(tree).host.detail).toContain("the memory and pids controllers are not delegated to it");
  });
});

describe("finding places", () => {
  test("reads what the kernel says of mounts and membership", () => {
    expect(parseMembership("3:cpu,cpuacct:/a:b\n0::/c\n\n")).toEqual(
      new Map([
        ["cpu", "/a:b"],
        ["cpuacct", "/a:b"],
        ["", "/c"],
      ]),
    );
    expect(
      parseMounts(
        "1 2 0:1 /docker/x /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\nnonsense\n1 2 3 - cgroup",
      ),
    ).toEqual([
      { root: "/docker/x", path: "/sys/fs/cgroup/pids", isV2: false, options: ["rw", "pids"] },
      { root: undefined, path: undefined, isV2: false, options: [""] },
    ]);
  });

  test("a container sees its own group as the mount's root", () => {
    const mounts = ["memory", "pids"].map(
      (name) => `1 2 0:1 /docker/x /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}`,
    );
    const membership = "1:memory:/docker/x/sub\n2:pids:/elsewhere\n";
    const tree = createTree({ "/proc/self/cgroup": membership, "/proc/self/mountinfo": mounts.join("\n") });
    const places = findPlaces({ files: tree.files, pid: 42, isRoot: false });
    expect(places.map((place) => place.folders)).toEqual([
      ["/sys/fs/cgroup/memory/sub", "/sys/fs/cgroup/pids"],
    ]);
  });

  test("hosts with nothing to find have none", () => {
    expect(open(createTree({})).host.detail).toBe("no memory and pids controllers are mounted");
    const tree = createTree({ "/proc/self/cgroup": "", "/proc/self/mountinfo": v1Mounts.split("\n")[0]! });
    expect(open(tree).host.version).toBe("none");
  });
});
