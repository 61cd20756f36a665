/** One bwrap process and its pipes: what goes in is fed, what comes out is counted and capped. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { Readable } from "node:stream";
import type { Writable } from "node:stream";
import { HomeostatError } from "../base/error.ts";
import { descriptors } from "./command.ts";
import type { SandboxCommand } from "./command.ts";
import { spawnEnvironment } from "./host-command.ts";
import { closeWriter } from "./pipes.ts";
import type { OutputPipe } from "./pipes.ts";

export interface ChildFeeds {
  readonly seccomp: Buffer;
  readonly files: readonly string[];
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  /** The inputs' archive; undefined when there are none. */
  readonly inputs: AsyncIterable<Buffer> | undefined;
  readonly outputBytes: number;
  /** Called once when stdout and stderr together passed `outputBytes`; what came later is not kept. */
  onOutputLimit(): void;
  /** Called once when the inputs could not be read. */
  onInputError(error: Error): void;
}

export interface SandboxChild {
  /** The archive of the program's files; must be read or destroyed. */
  readonly outputs: Readable;
  /** Resolves when the process has ended and all pipes are closed; rejects SANDBOX_FAILED when it could not start. */
  readonly closed: Promise<void>;
  /** Resolves at the end of the process, when pipes may still be open; never rejects. */
  readonly exited: Promise<void>;
  result(): ChildResult;
  /** Pid of the sandbox's pid 1 as this host counts, once bwrap has said it. */
  innerPid(): number | undefined;
  /** SIGKILL to the process group and to the sandbox's pid 1, with which all its processes die. */
  kill(): void;
}

export interface ChildResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** True when bwrap itself reported the end of the program: the sandbox had been set up. */
  readonly hasReported: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command with exactly the descriptors of `command.ts`, a small environment, and its own process group. */
export function startChild(command: SandboxCommand, feeds: ChildFeeds): SandboxChild {
  const stdout = feeds.stdout.open();
  const stderr = feeds.stderr.open();
  const child = startProcess(command, feeds, [stdout.writer, stderr.writer]);
  const text = collectText([stdout.reader, stderr.reader], feeds);
  const status = collectStatus(child);
  const { closed, exited } = followEnd(child, text.ended);
  feed(child, descriptors.arguments, Readable.from([Buffer.from(command.bubblewrapArguments)]));
  feed(child, descriptors.seccomp, Readable.from([feeds.seccomp]));
  for (const [index, content] of feeds.files.entries())
    feed(child, descriptors.firstFile + index, Readable.from([Buffer.from(content)]));
  if (feeds.inputs !== undefined)
    feed(child, descriptors.inputs, Readable.from(feeds.inputs), (error) => feeds.onInputError(error));
  return {
    outputs: readable(child, descriptors.outputs),
    closed,
    exited,
    innerPid: () => findNumber(status(), "child-pid"),
    result: () => ({
      exitCode: child.exitCode,
      signal: child.signalCode,
      hasReported: findNumber(status(), "exit-code") !== undefined,
      ...text.read(),
    }),
    kill() {
      if (child.pid !== undefined) killQuietly(-child.pid);
      const inner = findNumber(status(), "child-pid");
      if (inner !== undefined) killQuietly(inner);
    },
  };
}

/** Throws what spawn throws, for example for a NUL in an argument; errors of the system come as events. */
function startProcess(
  command: SandboxCommand,
  feeds: ChildFeeds,
  writers: readonly [number, number],
): ChildProcess {
  try {
    return spawn(command.command, command.args, {
      env: spawnEnvironment,
      cwd: "/",
      detached: true,
      stdio: [
        ...["ignore" as const, ...writers],
        ...["pipe" as const, "pipe" as const, "pipe" as const, "pipe" as const],
        feeds.inputs === undefined ? "ignore" : "pipe",
        ...feeds.files.map(() => "pipe" as const),
      ],
    });
  } finally {
    // The child has its own copies; ours would keep the pipes from ending.
    writers.forEach(closeWriter);
  }
}

/** SIGKILL to a process, or with a negative number to a group; one that is gone is as good as killed. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ESRCH: it had ended by itself.
  }
}

function followEnd(child: ChildProcess, textEnded: Promise<void>): Pick<SandboxChild, "closed" | "exited"> {
  const failed = new Promise<never>((_, reject) => {
    child.on("error", (error) => {
      const message = `The sandbox could not be started: ${error.message}`;
      reject(new HomeostatError("SANDBOX_FAILED", message, {}, { cause: error }));
    });
  });
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.on("error", () => resolve());
  });
  const piped = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const closed = Promise.race([failed, Promise.all([piped, textEnded]).then(() => undefined)]);
  closed.catch(() => undefined); // whoever awaits it later gets the error; until then it is not "unhandled"
  return { closed, exited };
}

/** Writes all of `source`; a child that ends without reading is no error, a source that fails is. */
function feed(
  child: ChildProcess,
  descriptor: number,
  source: Readable,
  onError?: (error: Error) => void,
): void {
  const target = child.stdio[descriptor] as Writable; // asked for as a pipe: there even when the start failed
  target.on("error", () => source.destroy()); // EPIPE: nobody reads any more
  source.on("error", (error) => {
    onError?.(error);
    target.destroy();
  });
  child.on("exit", () => target.destroy());
  source.pipe(target);
}

function readable(child: ChildProcess, descriptor: number): Readable {
  return child.stdio[descriptor] as Readable; // asked for as a pipe: there even when the start failed
}

/** stdout and stderr, together never more than the cap: the server's memory grows by that much and no more. */
function collectText(
  streams: readonly Readable[],
  feeds: ChildFeeds,
): { readonly ended: Promise<void>; read(): Pick<ChildResult, "stdout" | "stderr"> } {
  let left = feeds.outputBytes;
  let isOver = false;
  const texts = streams.map((stream) => {
    const parts: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => {
      if (chunk.length > left && !isOver) {
        isOver = true;
        feeds.onOutputLimit();
      }
      if (left > 0) parts.push(chunk.subarray(0, left));
      left = Math.max(0, left - chunk.length);
    });
    const ended = new Promise<void>((resolve) => stream.on("end", () => resolve()));
    return { ended, read: () => Buffer.concat(parts).toString("utf8") };
  });
  return {
    ended: Promise.all(texts.map((text) => text.ended)).then(() => undefined),
    read: () => ({ stdout: texts[0]!.read(), stderr: texts[1]!.read() }),
  };
}

/** What bwrap writes to `--json-status-fd`: documents with `child-pid` and, at the end, `exit-code`. */
function collectStatus(child: ChildProcess): () => string {
  let text = "";
  readable(child, descriptors.status).on("data", (chunk: Buffer) => {
    text = (text + chunk.toString("latin1")).slice(0, 4096); // some 200 bytes in two documents; more is not ours
  });
  return () => text;
}

function findNumber(status: string, name: string): number | undefined {
  const [, number] = new RegExp(`"${name}": (\\d+)`).exec(status) ?? [];
  return number === undefined ? undefined : Number(number);
}
