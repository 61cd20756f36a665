/** Evaluates one JavaScript program in a QuickJS compiled to WebAssembly: no host objects but the small API. Blocks its thread. */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import type { InputList } from "./inputs.ts";
import { pieceUnits, quickjsPrelude } from "./javascript-api.ts";
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
  const describe = defineApi(context, { files, output, args: input.args });
  // It grows in steps and cannot end exactly at the limit (measured: at 94 % or more).
  const isMemoryFull = (): boolean => wasmMemory.buffer.byteLength > 0.9 * input.limits.memoryBytes;
  const isDone = execute(context, runtime, { source: input.source, output, describe, isMemoryFull });
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

/** What the API works on. */
interface Api {
  readonly files: VirtualFiles;
  readonly output: Output;
  readonly args: readonly string[];
}

/**
 * Gives the prelude its host functions and evaluates it; the value is its function that describes errors. No text is
 * taken out of the interpreter before its length was looked at, see `quickjsPrelude`. An Error that a host function throws
 * arrives inside with name and message only.
 */
function defineApi(context: QuickJSContext, api: Api): QuickJSHandle {
  const host = context.newObject();
  const functions = { ...readingFunctions(context, api), ...writingFunctions(context, api) };
  for (const [name, act] of Object.entries(functions))
    context.newFunction(name, act).consume((handle) => context.setProp(host, name, handle));
  context.setProp(context.global, "__host", host);
  return context.unwrapResult(context.evalCode(quickjsPrelude, "prelude.js", { type: "global" }));
}

/** The prelude calls each with all its arguments. */
type HostFunctions = Readonly<
  Record<string, (first: QuickJSHandle, second: QuickJSHandle) => QuickJSHandle | void>
>;

function readingFunctions(context: QuickJSContext, { files, args }: Api): HostFunctions {
  const answer = (value: unknown): QuickJSHandle => context.newString(JSON.stringify(value));
  let pieces: readonly Buffer[] = [];
  return {
    args: () => answer(args),
    list: () => answer(files.list()),
    bytes(path) {
      const bytes = files.read(takeText(context, path));
      return context.newArrayBuffer(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    },
    open(path) {
      pieces = splitText(files.read(takeText(context, path)));
      return context.newNumber(pieces.length);
    },
    piece: (index) => answer(pieces[context.getNumber(index)]!.toString("utf8")),
  };
}

function writingFunctions(context: QuickJSContext, { files, output }: Api): HostFunctions {
  let path = "";
  let parts: Buffer[] = [];
  const append = (bytes: Uint8Array): void => {
    files.requireSize(
      path,
      parts.reduce((sum, part) => sum + part.length, bytes.length),
    );
    parts.push(Buffer.from(bytes)); // a copy: the interpreter's memory moves and ends
  };
  return {
    print(descriptor, text) {
      if (output.isOver()) throw new Error("the output limit is passed");
      output.write(context.getNumber(descriptor) === 2 ? 2 : 1, takeText(context, text));
    },
    begin(name) {
      path = takeText(context, name);
      parts = [];
    },
    append: (text) => append(Buffer.from(takeText(context, text))),
    appendBytes: (data) => context.getArrayBuffer(data).consume((held) => append(held.value)),
    end: () => files.write(path, Buffer.concat(parts)),
  };
}

/** JSON takes at most six characters for each code unit of a piece, and two quotes. */
const maxJsonUnits = 6 * pieceUnits + 2;

/** A text that the prelude sent as JSON. Throws when it is longer than a piece. */
function takeText(context: QuickJSContext, handle: QuickJSHandle): string {
  const units = context.getProp(handle, "length").consume((length) => context.getNumber(length));
  if (context.typeof(handle) !== "string" || units > maxJsonUnits) throw new Error("a text is too long");
  return String(JSON.parse(context.getString(handle)));
}

/** In pieces that end between two characters of UTF-8. */
function splitText(bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    let end = start + pieceUnits;
    // Bytes 10xxxxxx go on with a character that began before; none has more than three of them.
    for (let back = 0; back < 3 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80; back += 1) end -= 1;
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

interface Execution {
  readonly source: string;
  readonly output: Output;
  /** The prelude's function that makes text of anything thrown. */
  readonly describe: QuickJSHandle;
  isMemoryFull(): boolean;
}

/** True when the program ended without an error; otherwise the error is on its stderr. */
function execute(
  context: QuickJSContext,
  runtime: QuickJSRuntime,
  { source, output, describe, isMemoryFull }: Execution,
): boolean {
  try {
    const error = findError(context, runtime, source);
    if (error === undefined) return true;
    const described = context.unwrapResult(context.callFunction(describe, context.undefined, error));
    const text = takeText(context, described);
    // The interpreter throws null when not even the error fits into memory any more.
    if (text.startsWith("InternalError: out of memory") || (text === "null" && isMemoryFull()))
      output.noteOutOfMemory();
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
  const type = script.error === undefined ? "global" : "module";
  const result = context.evalCode(source, "main.js", { type });
  if (result.error !== undefined) return result.error;
  runtime.executePendingJobs(); // what a job throws rejects its promise
  const state = context.getPromiseState(result.value);
  return state.type === "rejected" ? state.error : undefined;
}
