/** Numbers of the system calls the filter names, per processor architecture, and why each is denied. Data only. */

/** Linux' audit number of an architecture (include/uapi/linux/audit.h) and what else the filter needs to know. */
export interface Architecture {
  readonly auditArch: number;
  /** x86_64 also accepts x32 numbers, which carry this bit and would slip past comparisons. */
  readonly x32Bit?: number;
  readonly clone: number;
  readonly clone3: number;
  readonly socket: number;
  readonly ioctl: number;
  readonly denied: readonly DeniedCall[];
}

export interface DeniedCall {
  readonly name: string;
  readonly number: number;
  readonly errno: "EPERM" | "ENOSYS";
}

/** Node's name of the processor. Others have no table and therefore no sandbox. */
export type ArchitectureName = "x64" | "arm64";

/**
 * [name, x86_64, aarch64]; null where the architecture has no such call.
 * Sources: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux 6.x.
 */
const deniedRows: readonly (readonly [string, number | null, number | null])[] = [
  // Looking into, or writing into, other processes.
  ["ptrace", 101, 117],
  ["process_vm_readv", 310, 270],
  ["process_vm_writev", 311, 271],
  ["process_madvise", 440, 440],
  ["pidfd_getfd", 438, 438],
  ["kcmp", 312, 272],
  // Mounts and namespaces.
  ["mount", 165, 40],
  ["umount2", 166, 39],
  ["pivot_root", 155, 41],
  ["chroot", 161, 51],
  ["move_mount", 429, 429],
  ["open_tree", 428, 428],
  ["open_tree_attr", 467, 467],
  ["fsopen", 430, 430],
  ["fsconfig", 431, 431],
  ["fsmount", 432, 432],
  ["fspick", 433, 433],
  ["mount_setattr", 442, 442],
  ["statmount", 457, 457],
  ["listmount", 458, 458],
  ["setns", 308, 268],
  ["unshare", 272, 97],
  // Opening files by handle walks past the mount namespace.
  ["open_by_handle_at", 304, 265],
  ["name_to_handle_at", 303, 264],
  // Parts of the kernel with a large attack surface that programs here do not need.
  ["bpf", 321, 280],
  ["perf_event_open", 298, 241],
  ["userfaultfd", 323, 282],
  ["io_uring_setup", 425, 425],
  ["io_uring_enter", 426, 426],
  ["io_uring_register", 427, 427],
  ["fanotify_init", 300, 262],
  ["fanotify_mark", 301, 263],
  ["keyctl", 250, 219],
  ["add_key", 248, 217],
  ["request_key", 249, 218],
  ["lsm_set_self_attr", 460, 460],
  // Memory that belongs to no process: the watchdog of hosts without cgroups could not see it.
  ["memfd_secret", 447, 447],
  ["shmget", 29, 194],
  ["msgget", 68, 186],
  // The host itself.
  ["kexec_load", 246, 104],
  ["kexec_file_load", 320, 294],
  ["init_module", 175, 105],
  ["finit_module", 313, 273],
  ["delete_module", 176, 106],
  ["reboot", 169, 142],
  ["swapon", 167, 224],
  ["swapoff", 168, 225],
  ["acct", 163, 89],
  ["quotactl", 179, 60],
  ["quotactl_fd", 443, 443],
  ["syslog", 103, 116],
  ["sethostname", 170, 161],
  ["setdomainname", 171, 162],
  ["settimeofday", 164, 170],
  ["clock_settime", 227, 112],
  ["clock_adjtime", 305, 266],
  ["adjtimex", 159, 171],
  ["vhangup", 153, 58],
  ["migrate_pages", 256, 238],
  ["move_pages", 279, 239],
  // Old or odd: no program of ours needs them.
  ["personality", 135, 92],
  ["nfsservctl", 180, 42],
  ["lookup_dcookie", 212, 18],
  ["iopl", 172, null],
  ["ioperm", 173, null],
  ["modify_ldt", 154, null],
  ["uselib", 134, null],
  ["ustat", 136, null],
  ["sysfs", 139, null],
  ["_sysctl", 156, null],
  ["create_module", 174, null],
  ["get_kernel_syms", 177, null],
  ["query_module", 178, null],
];

/** Answered with "no such call" so that libraries take their older way instead of giving up. */
const missingRows: readonly (readonly [string, number | null, number | null])[] = [
  ["memfd_create", 319, 279],
  // Asynchronous I/O contexts come out of one budget for the whole host (fs.aio-max-nr).
  ["io_setup", 206, 0],
];

export const architectures: { readonly [name in ArchitectureName]: Architecture } = {
  x64: {
    auditArch: 0xc000003e,
    x32Bit: 0x40000000,
    clone: 56,
    clone3: 435,
    socket: 41,
    ioctl: 16,
    denied: deniedCalls(1),
  },
  arm64: { auditArch: 0xc00000b7, clone: 220, clone3: 435, socket: 198, ioctl: 29, denied: deniedCalls(2) },
};

function deniedCalls(column: 1 | 2): readonly DeniedCall[] {
  return [
    ...deniedRows.map((row) => ({ row, errno: "EPERM" as const })),
    ...missingRows.map((row) => ({ row, errno: "ENOSYS" as const })),
  ].flatMap(({ row, errno }) => {
    const number = row[column];
    return number === null ? [] : [{ name: row[0], number, errno }];
  });
}
