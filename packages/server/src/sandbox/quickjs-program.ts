/** Evaluates one JavaScript program in a QuickJS compiled to WebAssembly: no host objects but the small API. Blocks its thread. */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { InputList } from "./inputs.ts";
import { quickjsPrelude } from "./javascript-api.ts";
import type { LimitName, SandboxLimits, SandboxOutcome } from "./sandbox.ts";
import { createVirtualFiles } from "./virtual-files.ts";
import type { VirtualFiles } from "./virtual-files.ts";

/** Plain data, so that it can be sent to a thread. */
export interface QuickjsInput {
  readonly source: string;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly inputFolder: string;
  readonly inputs: InputList;
  readonly outputFolder: string;
  readonly limits: SandboxLimits;
}

/** WebAssembly counts memory in these; this build of the interpreter wants between 256 and 32,768 of them. */
const wasmPageBytes = 65_536;
const leastPages = 256;
const mostPages = 32_768;

/** Of an error's stack; endless recursion gives thousands of lines. */
const maxStackLines = 20;

/** Never rejects for what the program does: errors of it are its exit code and stderr. */
export async function evaluateProgram(input: QuickjsInput, clock: Clock): Promise<SandboxOutcome> {
  // Imported here: 7 ms and half a megabyte that only the first program of a thread should cost.
  const { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } = await import("quickjs-emscripten");
  const wasmMemory = createMemory(input.limits.memoryBytes);
  const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmMemory }));
  const files = createVirtualFiles(input);
  const startedAtMs = clock.monotonic();
  const output = createOutput(input.limits.outputBytes);
  const runtime = quickjs.newRuntime();
  const deadline = createDeadline(input.limits, startedAtMs, clock);
  runtime.setInterruptHandler(() => deadline.isOver() || output.isOver());
  const context = runtime.newContext();
  defineApi(context, { files, output, args: input.args });
  const isDone = execute(context, runtime, { source: input.source, output });
  const limitHit = deadline.limitHit() ?? output.limitHit() ?? memoryLimit(output) ?? files.limitHit();
  const isStopped = deadline.limitHit() !== undefined || output.isOver();
  return {
    tier: "quickjs",
    exitCode: isStopped ? null : isDone ? 0 : 1,
    signal: isStopped ? "SIGKILL" : null,
    ...(limitHit === undefined ? {} : { limitHit }),
    stdout: output.text(1),
    stderr: output.text(2),
    durationMs: clock.monotonic() - startedAtMs,
    peakMemoryBytes: wasmMemory.buffer.byteLength,
    written: isStopped ? [] : files.store(input.outputFolder),
    deleted: [],
    refused: input.inputs.refused,
  };
}

/** Node has it; the types that come without a browser's do not name it. */
declare const WebAssembly: {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
};

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/**
 * The limit is the end of the WebAssembly memory itself, the interpreter's own few MiB included. Its `setMemoryLimit`
 * does not hold in this build: it counted 8 bytes for each block, so that 200 MiB passed a limit of 32 (measured).
 */
function createMemory(memoryBytes: number): WasmMemory {
  const pages = Math.ceil(memoryBytes / wasmPageBytes);
  return new WebAssembly.Memory({
    initial: leastPages,
    maximum: Math.min(Math.max(pages, leastPages), mostPages),
  });
}

interface Output {
  write(descriptor: 1 | 2, text: string): void;
  isOver(): boolean;
  limitHit(): LimitName | undefined;
  text(descriptor: 1 | 2): string;
  /** Set when the interpreter itself ended the program for want of memory. */
  noteOutOfMemory(): void;
  isOutOfMemory(): boolean;
}

function createOutput(limitBytes: number): Output {
  const parts: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
  let left = limitBytes;
  let isOver = false;
  let isOutOfMemory = false;
  return {
    write(descriptor, text) {
      const bytes = Buffer.from(text);
      if (left > 0) parts[descriptor].push(bytes.subarray(0, left));
      isOver ||= bytes.length > left;
      left = Math.max(0, left - bytes.length);
    },
    isOver: () => isOver,
    limitHit: () => (isOver ? "output" : undefined),
    text: (descriptor) => Buffer.concat(parts[descriptor]).toString("utf8"),
    noteOutOfMemory: () => void (isOutOfMemory = true),
    isOutOfMemory: () => isOutOfMemory,
  };
}

function memoryLimit(output: Output): LimitName | undefined {
  return output.isOutOfMemory() ? "memory" : undefined;
}

/** The interpreter asks every few thousand steps; one thread, so processor time is wall time. */
function createDeadline(
  { wallMs, cpuSeconds }: SandboxLimits,
  startedAtMs: number,
  clock: Clock,
): { isOver(): boolean; limitHit(): LimitName | undefined } {
  const limit = wallMs <= cpuSeconds * 1000 ? "wall" : "cpu";
  const untilMs = startedAtMs + Math.min(wallMs, cpuSeconds * 1000);
  let isOver = false;
  return {
    isOver: () => (isOver ||= clock.monotonic() >= untilMs),
    limitHit: () => (isOver ? limit : undefined),
  };
}

interface Api {
  readonly files: VirtualFiles;
  readonly output: Output;
  readonly args: readonly string[];
}

/** The host functions that `quickjsPrelude` wraps and hides. An Error they throw arrives inside with name and message only. */
function defineApi(context: QuickJSContext, { files, output, args }: Api): void {
  // The prelude calls each with all its arguments.
  const define = (
    name: string,
    act: (first: QuickJSHandle, second: QuickJSHandle) => QuickJSHandle,
  ): void => {
    context.newFunction(name, act).consume((handle) => context.setProp(context.global, name, handle));
  };
  const text = (handle: QuickJSHandle): string => context.getString(handle);
  define("__write", (descriptor, line) => {
    if (output.isOver()) throw new Error("the output limit is passed");
    output.write(context.getNumber(descriptor) === 2 ? 2 : 1, text(line));
    return context.undefined;
  });
  define("__readText", (path) => context.newString(files.read(text(path)).toString("utf8")));
  define("__read", (path) => {
    const bytes = files.read(text(path));
    return context.newArrayBuffer(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  });
  define("__store", (path, data) => {
    files.write(text(path), bytesOf(context, data));
    return context.undefined;
  });
  define("__list", () => context.newString(JSON.stringify(files.list())));
  context
    .newString(JSON.stringify(args))
    .consume((handle) => context.setProp(context.global, "__args", handle));
  context.unwrapResult(context.evalCode(quickjsPrelude, "prelude.js", { type: "global" })).dispose();
}

/** A copy: the interpreter's memory moves and ends. */
function bytesOf(context: QuickJSContext, handle: QuickJSHandle): Buffer {
  if (context.typeof(handle) === "string") return Buffer.from(context.getString(handle));
  return context.getArrayBuffer(handle).consume((lifetime) => Buffer.from(lifetime.value));
}

interface Execution {
  readonly source: string;
  readonly output: Output;
}

/** True when the program ended without an error; otherwise the error is on its stderr. */
function execute(context: QuickJSContext, runtime: QuickJSRuntime, { source, output }: Execution): boolean {
  try {
    const error = findError(context, runtime, source);
    if (error === undefined) return true;
    const text = describeError(context.dump(error));
    if (text.startsWith("InternalError: out of memory")) output.noteOutOfMemory();
    output.write(2, `${text}\n`);
  } catch (error) {
    // The WebAssembly itself gave up, for example for want of stack in a parser; the module is not used again.
    output.write(2, `The interpreter stopped: ${errorMessage(error)}\n`);
  }
  return false;
}

/** What the program threw, also from its last promise; undefined when it threw nothing. */
function findError(
  context: QuickJSContext,
  runtime: QuickJSRuntime,
  source: string,
): QuickJSHandle | undefined {
  // As in Node the syntax decides: what is no script (`import`, `await` outside of functions) is a module.
  const script = context.evalCode(source, "main.js", { type: "global", compileOnly: true });
  const result = context.evalCode(source, "main.js", {
    type: script.error === undefined ? "global" : "module",
  });
  if (result.error !== undefined) return result.error;
  const jobs = runtime.executePendingJobs();
  if (jobs.error !== undefined) return jobs.error;
  const state = context.getPromiseState(result.value);
  return state.type === "rejected" ? state.error : undefined;
}

/** What `dump` makes of anything thrown: of errors a record with name, message and stack. */
function describeError(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null || !("message" in thrown))
    return JSON.stringify(thrown) ?? "undefined";
  const { name, message, stack } = thrown as { name?: unknown; message: unknown; stack?: unknown };
  const head = `${typeof name === "string" ? name : "Error"}: ${String(message)}`;
  if (typeof stack !== "string" || stack === "") return head;
  return `${head}\n${stack.trimEnd().split("\n").slice(0, maxStackLines).join("\n")}`;
}
