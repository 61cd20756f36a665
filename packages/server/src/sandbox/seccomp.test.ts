/** Tests of the system call filter: a small interpreter of classic BPF runs it over calls and reads the verdict. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { architectures } from "./seccomp-tables.ts";
import type { ArchitectureName } from "./seccomp-tables.ts";
import {
  allowedSocketFamilies,
  assembleSeccomp,
  deniedIoctls,
  hasSeccompTable,
  namespaceFlags,
  seccompVerdicts,
} from "./seccomp.ts";

interface Call {
  readonly number: number;
  readonly auditArch?: number;
  /** The first two arguments, 64 bits each. */
  readonly args?: readonly bigint[];
}

/** What linux/filter.h says of the four instructions used: load a word, compare, test bits, return. */
function verdictOf(program: Buffer, name: ArchitectureName, { number, auditArch, args = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(auditArch ?? architectures[name].auditArch, 4);
  args.forEach((arg, index) => data.writeBigUInt64LE(BigInt.asUintN(64, arg), 16 + 8 * index));
  let accumulator = 0;
  for (let at = 0; ; at += 8) {
    const code = program.readUInt16LE(at);
    const k = program.readUInt32LE(at + 4);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else {
      if (code !== 0x15 && code !== 0x45) throw new Error(`unknown instruction ${code}`);
      const isTrue = code === 0x15 ? accumulator === k : (accumulator & k) !== 0;
      at += 8 * program.readUInt8(at + (isTrue ? 2 : 3));
    }
  }
}

describe.each(Object.keys(architectures) as ArchitectureName[])("the filter for %s", (name) => {
  const architecture = architectures[name];
  const program = assembleSeccomp(name);
  const verdict = (call: Call): number => verdictOf(program, name, call);

  test("has a length the kernel takes and jumps that stay inside", () => {
    expect(program.length % 8).toBe(0);
    expect(program.length / 8).toBeLessThan(4096);
    for (let at = 0; at < program.length; at += 8) {
      if (![0x15, 0x45].includes(program.readUInt16LE(at))) continue;
      for (const jump of [program.readUInt8(at + 2), program.readUInt8(at + 3)])
        expect(at + 8 * (jump + 1)).toBeLessThan(program.length);
    }
  });

  test.each(architecture.denied)("denies $name with $errno", ({ number, errno }) => {
    expect(verdict({ number })).toBe(seccompVerdicts[errno]);
  });

  test("names every denied call once", () => {
    const { denied, clone, clone3, socket, ioctl } = architecture;
    const numbers = [...denied.map((each) => each.number), clone, clone3, socket, ioctl];
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test("kills a program of another architecture, whatever it calls", () => {
    fc.assert(
      fc.property(fc.nat(600), fc.integer({ min: 0, max: 0xffff_ffff }), (number, auditArch) => {
        fc.pre(auditArch !== architecture.auditArch);
        expect(verdict({ number, auditArch })).toBe(seccompVerdicts.killProcess >>> 0);
      }),
    );
  });

  test("allows every call that is not named", () => {
    const { denied, clone, clone3, socket, ioctl } = architecture;
    const named = new Set([...denied.map((each) => each.number), clone, clone3, socket, ioctl]);
    const others = Array.from({ length: 600 }, (_, number) => number).filter((number) => !named.has(number));
    expect(others.filter((number) => verdict({ number }) !== seccompVerdicts.allow)).toEqual([]);
  });

  test("lets processes be cloned, but with none of the flags of namespaces", () => {
    const { clone } = architecture;
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (flags) => {
        const isNamespace = (flags & BigInt(namespaceFlags)) !== 0n;
        expect(verdict({ number: clone, args: [flags] })).toBe(
          isNamespace ? seccompVerdicts.EPERM : seccompVerdicts.allow,
        );
      }),
    );
    // What pthread_create and fork of glibc ask for.
    for (const flags of [0x3d0f00n, 0x1200011n])
      expect(verdict({ number: clone, args: [flags] })).toBe(seccompVerdicts.allow);
  });

  test("answers clone3 as if it did not exist, so that libraries fall back to clone", () => {
    expect(verdict({ number: architecture.clone3 })).toBe(seccompVerdicts.ENOSYS);
  });

  test("opens sockets of the allowed families only, whatever stands in the upper half", () => {
    fc.assert(
      fc.property(fc.nat(64), fc.nat(0xffff), (family, upper) => {
        const isAllowed = Object.values<number>(allowedSocketFamilies).includes(family);
        const args = [(BigInt(upper) << 32n) | BigInt(family)];
        expect(verdict({ number: architecture.socket, args })).toBe(
          isAllowed ? seccompVerdicts.allow : seccompVerdicts.EPERM,
        );
      }),
    );
  });

  test("denies typing into a terminal and leaves other ioctls alone", () => {
    for (const request of Object.values(deniedIoctls))
      for (const upper of [0n, 1n << 32n])
        expect(verdict({ number: architecture.ioctl, args: [0n, upper | BigInt(request)] })).toBe(
          seccompVerdicts.EPERM,
        );
    expect(verdict({ number: architecture.ioctl, args: [0n, 0x5401n] })).toBe(seccompVerdicts.allow);
  });

  test("refuses the x32 numbers where there are any", () => {
    expect(verdict({ number: 0x4000_0000 | 39 })).toBe(
      architecture.x32Bit === undefined ? seccompVerdicts.allow : seccompVerdicts.EPERM,
    );
  });
});

test("there are tables for two architectures", () => {
  expect(["x64", "arm64", "riscv64", "toString"].map(hasSeccompTable)).toEqual([true, true, false, false]);
});
