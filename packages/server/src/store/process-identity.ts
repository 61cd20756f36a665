/** Who this process is among all that ever ran, so that a restarted server takes over at once what a dead one held. */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * Boot id, pid namespace, pid and start time: on Linux no two processes of one boot share these. The same for all
 * threads. Elsewhere random, so ask once and keep it. `proc` is where Linux shows its processes.
 */
export function processIdentity(proc = "/proc"): string {
  const own = linuxSurroundings(proc);
  const stat = readStat(proc, "self");
  if (own === undefined || stat === undefined) return `random:${randomUUID()}`;
  return `${own.bootId}:${own.pidNamespace}:${process.pid}:${stat.startTicks}`;
}

/**
 * True only if the process is provably gone: it ran on this same boot and in this same pid namespace, and its pid is free,
 * another's, or a zombie. False is "alive or unknown"; then the lease's end decides.
 */
export function isProcessDead(identity: string, proc = "/proc"): boolean {
  const own = linuxSurroundings(proc);
  const [bootId, pidNamespace, pid, startTicks] = identity.split(":");
  if (own === undefined || bootId !== own.bootId || pidNamespace !== own.pidNamespace) return false;
  if (pid === undefined || !/^[1-9]\d*$/.test(pid) || startTicks === undefined) return false;
  if (!pidExists(Number(pid))) return true;
  const stat = readStat(proc, pid);
  if (stat === undefined) return false;
  if (stat.startTicks !== startTicks) return true;
  // The first thread of a killed process may be a zombie while another still finishes a write.
  return stat.state === "Z" && threadCount(proc, pid) === 1;
}

function linuxSurroundings(
  proc: string,
): { readonly bootId: string; readonly pidNamespace: string } | undefined {
  try {
    const bootId = readFileSync(`${proc}/sys/kernel/random/boot_id`, "utf8").trim();
    // For example "pid:[4026531836]".
    const pidNamespace = /\d+/.exec(readlinkSync(`${proc}/self/ns/pid`))?.[0];
    return pidNamespace === undefined ? undefined : { bootId, pidNamespace };
  } catch {
    // Not Linux, or /proc is not mounted.
    return undefined;
  }
}

/** Not by /proc, which hides other users' processes under `hidepid`; the signal 0 is answered with EPERM for those. */
function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** proc_pid_stat(5): field 3 is the state, field 22 the start in clock ticks since boot. */
function readStat(
  proc: string,
  pid: string,
): { readonly state: string; readonly startTicks: string } | undefined {
  try {
    const text = readFileSync(`${proc}/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state, startTicks] = [fields[0], fields[19]];
    return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
  } catch {
    return undefined;
  }
}

function threadCount(proc: string, pid: string): number | undefined {
  try {
    return readdirSync(`${proc}/${pid}/task`).length;
  } catch {
    return undefined;
  }
}
