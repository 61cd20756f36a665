/** The command line of one sandbox: limits, user id and control groups outside, namespaces and mounts inside. Pure. */
import type { SystemMount } from "./host.ts";
import type { ProgramFile, ReadOnlyMount } from "./languages.ts";
import { ownProcesses } from "./cgroup.ts";
import type { SandboxLimits } from "./sandbox.ts";

/** Numbers of the descriptors the child gets besides stdin, stdout and stderr; the program itself sees none of them. */
export const descriptors = {
  arguments: 3,
  status: 4,
  outputs: 5,
  seccomp: 6,
  inputs: 7,
  firstFile: 8,
} as const;

export interface CommandPlan {
  /** The program inside with its arguments. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly ProgramFile[];
  readonly mounts: readonly ReadOnlyMount[];
  readonly systemMounts: readonly SystemMount[];
  /** See `Language.reservedBytes`. */
  readonly reservedBytes: number;
  readonly limits: SandboxLimits;
  readonly hasInputs: boolean;
  /** The one of `files` that the program reads as stdin; undefined: stdin is empty. */
  readonly stdinFile: string | undefined;
  /** Bytes of the largest input, which must be copied in past the program's own file limit. */
  readonly largestInputBytes: number;
  /** Undefined when this process is not root. */
  readonly uid: number | undefined;
  readonly cgroupJoinFiles: readonly string[];
  /** Descriptors of the server that a child would inherit. */
  readonly inheritedDescriptors: readonly number[];
  /** A host file to make reachable first, in the given folder of the run's own mount namespace, see `nodeStage`. */
  readonly stage: ReadOnlyMount | undefined;
}

export interface SandboxCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** NUL-separated for `bwrap --args`: values of variables must not show in the host's process list. */
  readonly bubblewrapArguments: string;
}

/**
 * Joins the control groups, sets limits and becomes the rest of the line, all inside one shell without another process.
 * Arguments: stage source and target (or two empty words), number of group files, the files, soft and hard processor
 * seconds, blocks of 512 bytes a file may have, then the command.
 */
const outerScript = `
set -e
if [ -n "$1" ]; then mount -t tmpfs -o mode=755 none "$2"; : >"$2/\${1##*/}"; mount --bind "$1" "$2/\${1##*/}"; fi
shift 2
left=$1; shift
while [ "$left" -gt 0 ]; do echo 0 >"$1"; shift; left=$((left - 1)); done
ulimit -S -t "$1"; ulimit -H -t "$2"; ulimit -f "$3"; ulimit -n 256; ulimit -c 0
shift 3
exec "$@"`;

/**
 * Copies the inputs in, runs the program, ends whatever it left running and hands the files out. The program could
 * tamper with all of this, since it has the same user id: so nothing that comes out is trusted, see outputs.ts.
 */
const innerScript = `
exec 3>&- 4>&- 6>&-
if [ "$1" = inputs ]; then tar -xf - -C /box <&7 || exit 125; fi
input=$2
shift 2
exec 7>&-
"$@" <"$input" 5>&-
code=$?
kill -KILL -1 2>/dev/null
for entry in /box/* /box/.[!.]* /box/..?*; do
  if [ -e "$entry" ] || [ -L "$entry" ]; then
    chmod -R u+rwX /box 2>/dev/null
    tar -cf - -C /box --hard-dereference . >&5 2>/dev/null
    exit $code
  fi
done
printf empty >&5
exit $code`;

export function buildCommand(plan: CommandPlan): SandboxCommand {
  const { limits, uid, stage, cgroupJoinFiles } = plan;
  const fileBytes = Math.max(effectiveFileBytes(limits), plan.largestInputBytes);
  const last = descriptors.firstFile + plan.files.length - 1;
  const closing = plan.inheritedDescriptors
    .filter((each) => each > last)
    .map((each) => `exec ${each}>&-\n`)
    .join("");
  // POSIX shells redirect one-digit descriptors only; bash is slower to start and taken only when it is needed.
  // Its posix mode gives `ulimit -f` the same unit, blocks of 512 bytes.
  const shell = closing === "" ? ["sh"] : ["bash", "-o", "posix"];
  const line = [
    ...(stage === undefined ? [] : ["unshare", "--mount", "--propagation", "private"]),
    ...[...shell, "-c", closing + outerScript, "sh", stage?.from ?? "", stage?.to ?? ""],
    ...[String(cgroupJoinFiles.length), ...cgroupJoinFiles],
    // One second between the catchable SIGXCPU and the kill.
    ...[String(limits.cpuSeconds), String(limits.cpuSeconds + 1), String(Math.ceil(fileBytes / 512))],
    ...(uid === undefined
      ? []
      : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--no-new-privs"]),
    ...["bwrap", "--args", String(descriptors.arguments), "--"],
    ...(cgroupJoinFiles.length > 0 ? [] : processLimits(plan)),
    ...[
      "sh",
      "-c",
      innerScript,
      "sh",
      plan.hasInputs ? "inputs" : "none",
      plan.stdinFile ?? "/dev/null",
      ...plan.argv,
    ],
  ];
  return {
    command: line[0]!,
    args: line.slice(1),
    bubblewrapArguments: bubblewrapArguments(plan).join("\0"),
  };
}

/** RLIMIT_FSIZE is set in blocks of 512 bytes; this is where writing really stops. */
export function effectiveFileBytes(limits: SandboxLimits): number {
  return Math.ceil(Math.min(limits.fileBytes, limits.diskBytes) / 512) * 512;
}

/** /tmp and /dev/shm, which are not part of the outputs, get a quarter of the disk each. */
function temporaryBytes(limits: SandboxLimits): number {
  return Math.ceil(limits.diskBytes / 4);
}

/**
 * Without control groups. Set inside, where only the sandbox's own processes are counted (since Linux 5.14 per user
 * namespace). RLIMIT_DATA, not RLIMIT_AS: Node and others reserve huge ranges they never use. It is per process, so the
 * watchdog adds up what all of them hold.
 */
function processLimits({ limits, reservedBytes }: CommandPlan): readonly string[] {
  // Twice, so that the watchdog, which can name the limit, is the first to see a program that grows.
  const dataBytes = 2 * limits.memoryBytes + reservedBytes;
  return ["prlimit", `--nproc=${limits.processes + ownProcesses}`, `--data=${dataBytes}`, "--"];
}

function bubblewrapArguments(plan: CommandPlan): readonly string[] {
  const { limits } = plan;
  const fileDescriptor = (index: number): string => String(descriptors.firstFile + index);
  return [
    ...["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"],
    ...["--unshare-cgroup-try", "--disable-userns", "--new-session", "--die-with-parent"],
    ...["--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"],
    ...Object.entries(plan.environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--ro-bind", "/usr", "/usr"],
    ...plan.systemMounts.flatMap((mount) =>
      mount.kind === "symlink"
        ? ["--symlink", mount.target, mount.path]
        : ["--ro-bind", mount.path, mount.path],
    ),
    ...["/etc/ld.so.cache", "/etc/alternatives"].flatMap((path) => ["--ro-bind-try", path, path]),
    ...plan.mounts.flatMap(({ from, to }) => ["--ro-bind", from, to]),
    ...plan.files.flatMap((file, index) => ["--ro-bind-data", fileDescriptor(index), file.path]),
    // The host's sysctl files would be writable for a root that is mapped to itself; a read-only mount ends that.
    ...["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"],
    ...["--dev", "/dev", "--size", String(temporaryBytes(limits)), "--perms", "1777", "--tmpfs", "/dev/shm"],
    ...["--remount-ro", "/dev"],
    ...["--size", String(temporaryBytes(limits)), "--perms", "1777", "--tmpfs", "/tmp"],
    ...["--size", String(limits.diskBytes), "--tmpfs", "/box"],
    ...["--remount-ro", "/", "--chdir", "/box"],
    ...["--json-status-fd", String(descriptors.status), "--seccomp", String(descriptors.seccomp)],
  ];
}
