/** Real pipes for stdout and stderr of programs, which Node alone cannot make. */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { HomeostatError } from "../base/error.ts";
import type { RunCommand } from "./host-command.ts";

export interface OutputPipe {
  /** New ends for one program: a stream that ends when no process holds the other end, and that end's descriptor. */
  open(): { readonly reader: Readable; readonly writer: number };
}

export interface PipePool {
  /** Throws SANDBOX_FAILED when all are in use; whoever bounds the programs bounds the pipes. */
  take(): OutputPipe;
  /** Only when no process holds an end any more. What was left unread is thrown away. */
  give(pipe: OutputPipe): void;
}

interface KeptPipe extends OutputPipe {
  drain(): void;
}

/**
 * Opens `count` pipes for the life of this process. Node connects children by UNIX sockets, which programs cannot open
 * again: `echo > /dev/stderr` would fail. A FIFO made by mkfifo(1), opened, and at once removed from the file system is a
 * pipe with mode 0666, which also the sandbox's own user id may open again through /dev/stderr.
 */
export async function openPipes(count: number, runCommand: RunCommand): Promise<PipePool> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-pipes-"));
  try {
    const paths = Array.from({ length: count }, (_, index) => join(folder, String(index)));
    const answer = await runCommand({ command: "mkfifo", args: ["-m", "666", ...paths], timeoutMs: 5000 });
    if (answer.exitCode !== 0)
      throw new HomeostatError("SANDBOX_FAILED", `Pipes could not be made: ${answer.stderr.trim()}`);
    return createPool(paths.map(keepPipe));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function createPool(free: KeptPipe[]): PipePool {
  const drains = new Map<OutputPipe, KeptPipe>(free.map((pipe) => [pipe, pipe]));
  return {
    take() {
      const pipe = free.shift();
      if (pipe === undefined)
        throw new HomeostatError("SANDBOX_FAILED", "All pipes of the sandbox are in use");
      return pipe;
    },
    give(pipe) {
      const kept = drains.get(pipe)!;
      kept.drain();
      free.push(kept);
    },
  };
}

function keepPipe(path: string): KeptPipe {
  // A reader that stays: writers can open at any time, and the pipe outlives its name.
  const keeper = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const again = `/proc/self/fd/${keeper}`;
  return {
    open() {
      const descriptor = openSync(again, constants.O_RDONLY | constants.O_NONBLOCK);
      const reader = new Socket({ fd: descriptor, readable: true, writable: false });
      return { reader, writer: openSync(again, constants.O_WRONLY) };
    },
    drain: () => drain(keeper),
  };
}

/** Nobody writes any more, so reading ends at 0 bytes. */
function drain(keeper: number): void {
  const buffer = Buffer.allocUnsafe(65_536);
  while (readSync(keeper, buffer) > 0);
}

/** Closes the server's copy of an end that was handed to a child. */
export function closeWriter(descriptor: number): void {
  closeSync(descriptor);
}
