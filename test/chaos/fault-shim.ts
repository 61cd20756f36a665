/** Faults below a process: the shim is compiled once, and a test turns its faults on and off while the process runs. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";

export interface Faults {
  /** For the processes that are to suffer. */
  readonly environment: Readonly<Record<string, string>>;
  /** Syncs of regular files so far. */
  syncs(): Promise<number>;
  /** Kills the process at the sync after `skip` more, before or after it is done. */
  killAtSync(skip: number, when: "before" | "after"): Promise<void>;
  /** The same with SIGSTOP, in the middle of the commit that the sync belongs to. */
  stopAtSync(skip: number, when: "before" | "after"): Promise<void>;
  /** How much longer each sync takes. */
  slowSyncs(ms: number): Promise<void>;
  /** While true, writes to files fail as on a full disk. */
  fillDisk(isFull: boolean): Promise<void>;
  /** Moves the wall clock of the processes; whole seconds. */
  setClockAhead(ms: number): Promise<void>;
  /** Ends all faults. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Offsets in `struct faults` of fault-shim.c. */
const at = { syncs: 0, killAt: 4, killAfter: 8, delayMs: 12, full: 16, signal: 20, aheadMs: 24 };
const sizeBytes = 32;

/** The reason why faults cannot be injected here. */
export function faultsObstacle(): string | undefined {
  const isThere = spawnSync("gcc", ["--version"]).status === 0;
  return isThere ? undefined : "there is no C compiler: apt-get install gcc libc6-dev";
}

/** For `describe.skipIf`; says once in a line why. */
export function skipsFaults(): boolean {
  const obstacle = faultsObstacle();
  if (obstacle !== undefined) console.log(`Tests with injected faults are skipped: ${obstacle}`);
  return obstacle !== undefined;
}

/** `folder` holds the compiled shim and the file that steers it; it belongs to the test. */
export async function createFaults(folder: string): Promise<Faults> {
  const library = join(folder, "fault-shim.so");
  if (!existsSync(library)) compile(library);
  const path = join(folder, "faults");
  const file = await open(path, "w+");
  await file.write(Buffer.alloc(sizeBytes), 0, sizeBytes, 0);
  const signalAtSync = async (signal: number, skip: number, when: "before" | "after"): Promise<void> => {
    await writeNumber(file, at.signal, signal);
    await writeNumber(file, at.killAfter, when === "after" ? 1 : 0);
    await writeNumber(file, at.killAt, (await readNumber(file, at.syncs)) + skip + 1);
  };
  const faults: Faults = {
    environment: { LD_PRELOAD: library, HOMEOSTAT_TEST_FAULTS: path },
    syncs: () => readNumber(file, at.syncs),
    killAtSync: (skip, when) => signalAtSync(constants.signals.SIGKILL, skip, when),
    stopAtSync: (skip, when) => signalAtSync(constants.signals.SIGSTOP, skip, when),
    slowSyncs: (ms) => writeNumber(file, at.delayMs, ms),
    fillDisk: (isFull) => writeNumber(file, at.full, isFull ? 1 : 0),
    async setClockAhead(ms) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(ms));
      await file.write(bytes, 0, 8, at.aheadMs);
    },
    async clear() {
      for (const place of [at.killAt, at.delayMs, at.full]) await writeNumber(file, place, 0);
      await faults.setClockAhead(0);
    },
    close: () => file.close(),
  };
  return faults;
}

function compile(library: string): void {
  const source = join(import.meta.dirname, "fault-shim.c");
  const { status, stderr } = spawnSync("gcc", ["-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
  if (status !== 0) throw new Error(`fault-shim.c does not compile:\n${String(stderr)}`);
}

async function readNumber(file: FileHandle, place: number): Promise<number> {
  const bytes = Buffer.alloc(4);
  await file.read(bytes, 0, 4, place);
  return bytes.readUInt32LE();
}

async function writeNumber(file: FileHandle, place: number, value: number): Promise<void> {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  await file.write(bytes, 0, 4, place);
}
