/** The system call filter of the sandbox, assembled as classic BPF for `bwrap --seccomp`. Pure. */
import { architectures } from "./seccomp-tables.ts";
import type { Architecture, ArchitectureName } from "./seccomp-tables.ts";

/** Address families a program may open sockets of; INET stays useless without a network but libraries probe it. */
export const allowedSocketFamilies = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10 } as const;

/** Flags of clone(2) that make namespaces: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
export const namespaceFlags =
  0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;

/** Ways to type into the caller's terminal. */
export const deniedIoctls = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c } as const;

export const seccompVerdicts = {
  allow: 0x7fff_0000,
  killProcess: 0x8000_0000,
  EPERM: 0x0005_0000 | 1,
  ENOSYS: 0x0005_0000 | 38,
} as const;

/** True when there is a table for this processor (Node's `process.arch`). */
export function hasSeccompTable(arch: string): arch is ArchitectureName {
  return Object.hasOwn(architectures, arch);
}

/**
 * The filter: 8 bytes an instruction (struct sock_filter of linux/filter.h, little endian on both architectures).
 * The denied list is flat, one comparison and one return a call: jumps in classic BPF reach only 255 instructions,
 * and since Linux 5.11 the kernel caches calls that are always allowed, so the length does not matter.
 */
export function assembleSeccomp(name: ArchitectureName): Buffer {
  const architecture = architectures[name];
  return encode([
    load(offsets.arch),
    ...unlessEqual(architecture.auditArch, seccompVerdicts.killProcess),
    load(offsets.number),
    ...denyX32(architecture),
    ...architecture.denied.flatMap((call) =>
      whenEqual(call.number, [returning(seccompVerdicts[call.errno])]),
    ),
    // libc falls back to clone, whose flags are a plain argument that a filter can read.
    ...whenEqual(architecture.clone3, [returning(seccompVerdicts.ENOSYS)]),
    ...whenEqual(architecture.clone, [
      load(offsets.argument0),
      { code: jumpIfAnyBit, k: namespaceFlags, whenFalse: 1 },
      returning(seccompVerdicts.EPERM),
      returning(seccompVerdicts.allow),
    ]),
    ...whenEqual(architecture.socket, [
      load(offsets.argument0),
      ...Object.values(allowedSocketFamilies).flatMap((family) =>
        whenEqual(family, [returning(seccompVerdicts.allow)]),
      ),
      returning(seccompVerdicts.EPERM),
    ]),
    ...whenEqual(architecture.ioctl, [
      load(offsets.argument1),
      ...Object.values(deniedIoctls).flatMap((code) => whenEqual(code, [returning(seccompVerdicts.EPERM)])),
      returning(seccompVerdicts.allow),
    ]),
    returning(seccompVerdicts.allow),
  ]);
}

interface Instruction {
  readonly code: number;
  readonly k: number;
  /** Instructions to skip when the comparison holds / does not. */
  readonly whenTrue?: number;
  readonly whenFalse?: number;
}

// linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JSET|BPF_K, BPF_RET|BPF_K
const loadWord = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAnyBit = 0x45;
const returnConstant = 0x06;

/** Byte offsets in struct seccomp_data; of the 64-bit arguments the low words. */
const offsets = { number: 0, arch: 4, argument0: 16, argument1: 24 } as const;

function load(offset: number): Instruction {
  return { code: loadWord, k: offset };
}

function returning(verdict: number): Instruction {
  return { code: returnConstant, k: verdict };
}

function whenEqual(value: number, then: readonly Instruction[]): readonly Instruction[] {
  return [{ code: jumpIfEqual, k: value, whenFalse: then.length }, ...then];
}

function unlessEqual(value: number, verdict: number): readonly Instruction[] {
  return [{ code: jumpIfEqual, k: value, whenTrue: 1 }, returning(verdict)];
}

function denyX32(architecture: Architecture): readonly Instruction[] {
  if (architecture.x32Bit === undefined) return [];
  return [{ code: jumpIfAnyBit, k: architecture.x32Bit, whenFalse: 1 }, returning(seccompVerdicts.EPERM)];
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, k, whenTrue = 0, whenFalse = 0 }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}
