/** Asks Linux's /proc which process listens on a TCP port, for the message that says the port is taken. */
import { readFile, readdir, readlink } from "node:fs/promises";

export interface PortOwner {
  readonly pid: number;
  /** Command line, at most 120 characters. */
  readonly command: string;
}

/** Undefined when /proc cannot tell: another system, or a process of another user. Reads at most every process's descriptors. */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  try {
    const inodes = await listeningSockets(port);
    if (inodes.size === 0) return undefined;
    for (const entry of await readdir("/proc")) {
      if (/^\d+$/.test(entry) && (await holdsSocket(entry, inodes))) {
        const command = (await readFile(`/proc/${entry}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
        return { pid: Number(entry), command: command.slice(0, 120) };
      }
    }
    return undefined;
  } catch {
    // Only a nicer message is lost; the caller reports PORT_TAKEN either way.
    return undefined;
  }
}

/** Inodes of sockets in state LISTEN (0A) on the port, from both address families. */
async function listeningSockets(port: number): Promise<ReadonlySet<string>> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === "0A" && fields[1]?.endsWith(`:${wanted}`)) inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return inodes;
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  // Other users' processes refuse: then they are not named.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch((): string[] => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
    if (inodes.has(target)) return true;
  }
  return false;
}
