/** The attempts to get out of a sandbox, as data. */
import type { PartialLimits } from "./limits.ts";
import type { LanguageId, LimitName } from "./sandbox.ts";

export interface AbuseCase {
  readonly name: string;
  readonly language: LanguageId;
  /** Prints ESCAPED when it got what it wanted and STOPPED when it was refused; a killed program prints neither. */
  readonly source: string;
  readonly limits?: PartialLimits;
  /** The limits by one of which it has to be ended or named; empty: it has to print STOPPED. */
  readonly limit: readonly LimitName[];
  /** True where level `standard` refuses without being able to name the limit. */
  readonly isUnnamedAtStandard?: boolean;
  /** True when the program cannot say anything any more: it only has to be over, and the host unharmed. */
  readonly isSilent?: boolean;
}

/** Found in the command line of everything the cases start, so that survivors can be counted on the host. */
export const mark = "homeostat-abuse-mark";

const python = (name: string, source: string, more: Partial<AbuseCase> = {}): AbuseCase => ({
  name,
  language: "python",
  source: `${pythonHead}\n${source}`,
  limit: [],
  ...more,
});

/** `refused(act)` tries, and says STOPPED when the kernel refuses; `call` makes a system call by its two numbers. */
const pythonHead = `
import ctypes, errno, os, platform, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
x64 = platform.machine() == "x86_64"
def call(numbers, *args):
    result = libc.syscall(numbers[0] if x64 else numbers[1], *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def refused(act):
    try:
        print("ESCAPED", act(), flush=True)
    except (OSError, MemoryError, RuntimeError, subprocess.CalledProcessError) as error:
        print("STOPPED", error, flush=True)
`;

/** Wall time is generous: a busy machine must not turn another limit into this one. */
const quick: PartialLimits = { wallMs: 15_000, cpuSeconds: 5 };

/** What of the host the programs try to reach. */
export interface AbuseTargets {
  /** On which the host listens on loopback. */
  readonly port: number;
  /** A UNIX socket's path, and another one's abstract name. */
  readonly path: string;
  readonly abstract: string;
  readonly pid: number;
}

export function abuseCases(targets: AbuseTargets): readonly AbuseCase[] {
  return [...resourceCases, ...networkCases(targets), ...hostCases(targets), ...kernelCases, ...outputCases];
}

const resourceCases: readonly AbuseCase[] = [
  {
    name: "fork bomb of a shell",
    language: "bash",
    source: "bomb() { bomb | bomb & }; bomb; sleep 2; exit 0",
    limits: { ...quick, wallMs: 1000 },
    limit: ["wall", "processes", "memory", "cpu"],
  },
  python(
    "fork bomb that never stops",
    "while True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)",
    { limits: { ...quick, wallMs: 1000 }, limit: ["wall", "processes", "memory", "cpu"] },
  ),
  python(
    "300 forks",
    `
def forks():
    for count in range(300):
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
    return count
refused(forks)`,
    { limits: quick, limit: ["processes"], isUnnamedAtStandard: true },
  ),
  python(
    "5,000 threads",
    `
def threads():
    for count in range(5000):
        threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
    return count
refused(threads)`,
    { limits: quick, limit: ["processes"], isUnnamedAtStandard: true },
  ),
  python("4 GB of memory", 'refused(lambda: len(bytearray(b"x") * (4 << 30)))', {
    limits: quick,
    limit: ["memory"],
    isUnnamedAtStandard: true,
  }),
  python(
    "memory a little at a time",
    "kept = []\nwhile True:\n    kept.append(bytearray(b'x') * (1 << 20))",
    {
      limits: quick,
      limit: ["memory"],
    },
  ),
  python(
    "8 processes of 200 MB each",
    `
children = []
for _ in range(8):
    pid = os.fork()
    if pid == 0:
        held = bytearray(b"x") * (200 << 20)
        time.sleep(3)
        os._exit(0)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
print("ESCAPED" if codes == [0] * 8 else "STOPPED", codes)`,
    { limits: quick, limit: ["memory"] },
  ),
  python(
    "memory shared with nobody",
    `
import mmap
maps = []
for _ in range(64):
    area = mmap.mmap(-1, 16 << 20)
    area.write(b"x" * (16 << 20))
    maps.append(area)
print("ESCAPED")`,
    { limits: quick, limit: ["memory"] },
  ),
  python(
    "filling the disk",
    `
def fill():
    for index in range(1000):
        with open(f"file{index}", "wb") as file:
            file.write(b"x" * (1 << 20))
refused(fill)`,
    { limits: { ...quick, diskBytes: 16 << 20 }, limit: ["disk"] },
  ),
  python(
    "filling /tmp and /dev/shm",
    `
def fill(folder):
    total = 0
    try:
        for index in range(1000):
            with open(f"{folder}/file{index}", "wb") as file:
                total += file.write(b"x" * (1 << 20))
    except OSError:
        pass
    return total
total = fill("/tmp") + fill("/dev/shm") + fill("/dev") + fill("/program")
print("STOPPED" if total <= 16 << 20 else "ESCAPED", total)`,
    { limits: { ...quick, diskBytes: 32 << 20 } },
  ),
  python(
    "one huge file",
    `
def write():
    with open("huge", "wb") as file:
        for _ in range(1000):
            file.write(b"x" * (1 << 20))
            file.flush()
refused(write)`,
    { limits: { ...quick, fileBytes: 4 << 20 }, limit: ["file-size"] },
  ),
  python(
    "a million files",
    "for index in range(1000000):\n    open(f'f{index}', 'w').close()\nprint('ESCAPED')",
    {
      limits: { wallMs: 20_000, cpuSeconds: 1 },
      limit: ["cpu", "memory", "disk"],
    },
  ),
  python("1 GB of output", "line = 'x' * 65536\nfor _ in range(16384):\n    print(line)\nprint('ESCAPED')", {
    limits: { ...quick, outputBytes: 65_536 },
    limit: ["output"],
  }),
  {
    name: "a busy loop",
    language: "bash",
    source: "while :; do :; done",
    limits: { wallMs: 20_000, cpuSeconds: 1 },
    limit: ["cpu"],
  },
  python(
    "busy loops handed from process to process",
    `
while True:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        print("ESCAPED")
        break
    started = time.process_time()
    while time.process_time() - started < 0.2:
        pass`,
    { limits: { wallMs: 20_000, cpuSeconds: 1 }, limit: ["cpu"] },
  ),
  python(
    "sleeping with every signal ignored",
    `
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
time.sleep(60)`,
    { limits: { ...quick, wallMs: 300 }, limit: ["wall"] },
  ),
  python(
    "a daemon that forks twice and leaves the session",
    `
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/usr/bin/sleep", ["${mark}", "60"])
    os._exit(0)
time.sleep(0.1)
print("STOPPED")`,
    { limits: quick },
  ),
];

function networkCases({ port, path, abstract }: AbuseTargets): readonly AbuseCase[] {
  const connect = (family: string, address: string): string => `
def connect():
    with socket.socket(${family}, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        s.connect(${address})
        return "connected"
refused(connect)`;
  const open = (name: string, args: string): AbuseCase =>
    python(name, `refused(lambda: socket.socket(${args}))`, { limits: quick });
  return [
    python("connecting to the host's loopback", connect("socket.AF_INET", `("127.0.0.1", ${port})`), {
      limits: quick,
    }),
    python("connecting outside", connect("socket.AF_INET", '("192.0.2.1", 80)'), { limits: quick }),
    python("connecting outside by IPv6", connect("socket.AF_INET6", '("2001:db8::1", 80)'), {
      limits: quick,
    }),
    python("a UNIX socket of the host by path", connect("socket.AF_UNIX", JSON.stringify(path)), {
      limits: quick,
    }),
    python(
      "a UNIX socket of the host by abstract name",
      connect("socket.AF_UNIX", `"\\0" + ${JSON.stringify(abstract)}`),
      {
        limits: quick,
      },
    ),
    open("a netlink socket", "socket.AF_NETLINK, socket.SOCK_RAW, 0"),
    open("a vsock socket", "40, socket.SOCK_STREAM"),
    open("a packet socket", "socket.AF_PACKET, socket.SOCK_RAW"),
    open("a raw socket", "socket.AF_INET, socket.SOCK_RAW, 1"),
    open("a kernel crypto socket", "38, socket.SOCK_SEQPACKET"),
  ];
}

const hostCases = ({ pid }: AbuseTargets): readonly AbuseCase[] => [
  python("reading /etc/shadow", 'refused(lambda: open("/etc/shadow").read())', { limits: quick }),
  python("reading root's keys", 'refused(lambda: os.listdir("/root/.ssh"))', { limits: quick }),
  python("reading home folders", 'refused(lambda: os.listdir("/home"))', { limits: quick }),
  python(
    "secrets in any environment",
    `
seen = b""
for pid in os.listdir("/proc"):
    if pid.isdigit():
        try:
            seen += open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            pass
print("ESCAPED" if b"PLANTED" in seen else "STOPPED")`,
    { limits: quick },
  ),
  python(
    "descriptors of the server",
    `
known = {os.readlink(f"/proc/self/fd/{fd}"): int(fd) for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")}
extra = [name for name, fd in known.items() if fd > 2 and not name.startswith(("/proc/", "/program/"))]
print("ESCAPED" if extra else "STOPPED", extra)`,
    { limits: quick },
  ),
  python(
    "writing outside of the work folder",
    `
written = []
for folder in ["/", "/usr", "/usr/bin", "/usr/local", "/etc", "/bin", "/lib", "/dev", "/proc/sys", "/program", "/opt"]:
    try:
        open(f"{folder}/written", "w").write("x")
        written.append(folder)
    except OSError:
        pass
print("ESCAPED" if written else "STOPPED", written)`,
    { limits: quick },
  ),
  python(
    "changing the program behind the mount",
    'refused(lambda: open("/program/main.py", "a").write("x"))',
    {
      limits: quick,
    },
  ),
  python("mounting", 'refused(lambda: call((165, 40), b"none", b"/tmp", b"tmpfs", 0, None))', {
    limits: quick,
  }),
  python("mounting the new way", 'refused(lambda: call((430, 430), b"tmpfs", 0))', { limits: quick }),
  python("making / writable", 'refused(lambda: call((165, 40), b"none", b"/", None, 32, None))', {
    limits: quick,
  }),
  python("taking a mount away", 'refused(lambda: call((166, 39), b"/proc/sys", 2))', { limits: quick }),
  python(
    "seeing processes of the host",
    `
pids = [pid for pid in os.listdir("/proc") if pid.isdigit()]
print("ESCAPED" if len(pids) > 8 else "STOPPED", pids)`,
    { limits: quick },
  ),
  python("killing a process of the host", `refused(lambda: os.kill(${pid}, 9))`, { limits: quick }),
  // Ends the steps of the sandbox around it: all that is lost is the program's own result.
  python("killing everything", "os.kill(-1, 9)", { limits: quick, isSilent: true }),
  python(
    "changing a sysctl",
    `
def change():
    value = open("/proc/sys/kernel/panic").read()
    open("/proc/sys/kernel/panic", "w").write(value)
refused(change)`,
    { limits: quick },
  ),
  python("the kernel's emergency key", 'refused(lambda: open("/proc/sysrq-trigger", "w"))', {
    limits: quick,
  }),
  python("reading the kernel's memory", 'refused(lambda: open("/proc/kcore", "rb").read(1))', {
    limits: quick,
  }),
  python("looking into control groups", 'refused(lambda: os.listdir("/sys/fs/cgroup"))', { limits: quick }),
];

const kernelCases: readonly AbuseCase[] = [
  python(
    "tracing an own child",
    `
pid = os.fork()
if pid == 0:
    time.sleep(1)
    os._exit(0)
refused(lambda: call((101, 117), 16, pid, 0, 0))
os.kill(pid, 9)`,
    { limits: quick },
  ),
  python("a new user namespace", "refused(lambda: call((272, 97), 0x10000000))", { limits: quick }),
  python("a new user namespace by clone", "refused(lambda: call((56, 220), 0x10000000 | 17, 0, 0, 0, 0))", {
    limits: quick,
  }),
  python(
    "a new namespace by clone3",
    "refused(lambda: call((435, 435), ctypes.create_string_buffer(88), 88))",
    {
      limits: quick,
    },
  ),
  {
    name: "a setuid program",
    language: "bash",
    source: 'if [ "$(su -c "id -u" 2>/dev/null </dev/null)" = 0 ]; then echo ESCAPED; else echo STOPPED; fi',
    limits: quick,
    limit: [],
  },
  python("becoming root", "refused(lambda: os.setuid(0))", { limits: quick }),
  python("making a device", 'refused(lambda: os.mknod("disk", 0o60600, os.makedev(8, 0)))', {
    limits: quick,
  }),
  python("changing the root", 'refused(lambda: os.chroot("/tmp"))', { limits: quick }),
  python("io_uring", "refused(lambda: call((425, 425), 8, ctypes.create_string_buffer(248)))", {
    limits: quick,
  }),
  python("userfaultfd", "refused(lambda: call((323, 282), 0))", { limits: quick }),
  python("the kernel's key ring", 'refused(lambda: call((248, 217), b"user", b"k", b"v", 1, -3))', {
    limits: quick,
  }),
  python("BPF", "refused(lambda: call((321, 280), 5, ctypes.create_string_buffer(128), 128))", {
    limits: quick,
  }),
  python(
    "performance counters",
    "refused(lambda: call((298, 241), ctypes.create_string_buffer(128), 0, -1, -1, 0))",
    {
      limits: quick,
    },
  ),
  python("memory without a process", 'refused(lambda: call((319, 279), b"m", 0))', { limits: quick }),
  python("System V shared memory", "refused(lambda: call((29, 194), 0, 1 << 20, 0o1600))", { limits: quick }),
  python("setting the clock", "refused(lambda: time.clock_settime(time.CLOCK_REALTIME, 0))", {
    limits: quick,
  }),
  python("numbers of the x32 calls", "refused(lambda: call((0x40000000 | 39, 0x40000000 | 172)))", {
    limits: quick,
  }),
  python(
    "typing into the caller's terminal",
    `
import fcntl
def push():
    terminal = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    return fcntl.ioctl(terminal, 0x5412, b"x")
refused(push)`,
    { limits: quick },
  ),
];

const outputCases: readonly AbuseCase[] = [
  python(
    "links and devices as outputs",
    `
os.symlink("/etc/passwd", "link")
os.symlink("/etc", "folder")
os.symlink("../../../etc/passwd", "climbing")
os.mkdir("real")
os.symlink("/proc/self/environ", "real/nested")
os.mkfifo("pipe")
print("STOPPED")`,
    { limits: quick },
  ),
  python(
    "a forged archive",
    `
import io, tarfile
def forge():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in ["../escaped", "/tmp/escaped", "a/../../escaped", "fine"]:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
        link = tarfile.TarInfo("out")
        link.type = tarfile.SYMTYPE
        link.linkname = "/tmp"
        archive.addfile(link)
        info = tarfile.TarInfo("out/escaped")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return stream.getvalue()
# The step that collects has the same user id: try to speak in its place.
sent = 0
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for fd in range(3, 10):
            try:
                with open(f"/proc/{pid}/fd/{fd}", "wb") as stream:
                    stream.write(forge())
                    sent += 1
            except OSError:
                pass
print("STOPPED", sent)`,
    { limits: quick },
  ),
  python("100,000 outputs", "for index in range(100000):\n    open(f'f{index}', 'w').close()", {
    limits: quick,
    limit: ["disk", "cpu", "wall"],
  }),
  python(
    "files that claim to be huge",
    "for index in range(20):\n    os.truncate(os.open(f'sparse{index}', os.O_CREAT | os.O_WRONLY), 7 << 20)",
    { limits: { ...quick, diskBytes: 8 << 20, fileBytes: 8 << 20 }, limit: ["disk"] },
  ),
];
