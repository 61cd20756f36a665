/** The QuickJS tier: pure JavaScript in WebAssembly in a thread of its own, on every host, without any isolation of the system. */
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../base/clock.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { readInputs } from "./inputs.ts";
import type { QuickjsInput } from "./quickjs-program.ts";
import type { SandboxOutcome, SandboxRequest } from "./sandbox.ts";

/** The thread gets this much longer than the program: some built-in operations never ask whether time is over. */
const graceMs = 250;

/** A thread and its interpreter are there in 80 ms; a machine under load may take much longer. */
const startMs = 10_000;

/**
 * Heap of the thread around the interpreter, in MiB. Only names, small pieces of text and the request are held in it: V8
 * ends the whole process, not the thread, when one large object does not fit, so nothing large may ever get there.
 */
const threadHeapMiB = 256;

/**
 * Runs the program and resolves with its outcome, whatever it does. Rejects with the signal's reason when aborted,
 * SANDBOX_REQUEST_INVALID when the inputs do not fit, and SANDBOX_FAILED when the thread could not do its work.
 * Environment variables are not given to the program: there is nothing in its world that would read them.
 */
export async function runInQuickjs(request: SandboxRequest, clock: Clock): Promise<SandboxOutcome> {
  const inputs = await readInputs(request.inputFolder, request.limits);
  request.signal.throwIfAborted();
  const startedAtMs = clock.monotonic();
  const input: QuickjsInput = {
    source: request.source,
    args: request.args,
    stdin: request.stdin ?? "",
    inputFolder: request.inputFolder ?? "",
    inputs,
    outputFolder: request.outputFolder,
    limits: request.limits,
  };
  const worker = startThread(input);
  const ended = new AbortController();
  const started = Promise.withResolvers<void>();
  const timeout = waitTooLong(started.promise, { clock, wallMs: request.limits.wallMs, ended: ended.signal });
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(request.signal.reason as Error);
  request.signal.addEventListener("abort", onAbort);
  try {
    const outcome = await Promise.race([answerOf(worker, started.resolve), timeout, aborted.promise]);
    if (typeof outcome === "object") return outcome;
    return {
      ...stoppedOutcome,
      limitHit: outcome,
      durationMs: clock.monotonic() - startedAtMs,
      refused: inputs.refused,
    };
  } finally {
    ended.abort();
    request.signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

function startThread(input: QuickjsInput): Worker {
  // The published package holds the compiled files.
  const file = join(import.meta.dirname, `quickjs-thread${extname(import.meta.filename)}`);
  return new Worker(file, {
    workerData: input,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: threadHeapMiB },
  });
}

interface Patience {
  readonly clock: Clock;
  readonly wallMs: number;
  readonly ended: AbortSignal;
}

/** The program's time counts from its own start; until then the thread has `startMs`. Never resolves once `ended`. */
async function waitTooLong(started: Promise<void>, { clock, wallMs, ended }: Patience): Promise<"wall"> {
  try {
    await Promise.race([started, clock.sleep(startMs, ended)]);
    await clock.sleep(wallMs + graceMs, ended);
    return "wall";
  } catch {
    return await new Promise(() => undefined); // a clock's sleep rejects only with the signal's reason
  }
}

function answerOf(worker: Worker, onStart: () => void): Promise<SandboxOutcome> {
  return new Promise((resolve, reject) => {
    // quickjs-thread.ts says first that it starts, then what came of it.
    worker.on("message", (message: "started" | SandboxOutcome) => {
      if (message === "started") onStart();
      else resolve(message);
    });
    worker.on("error", (error) =>
      reject(failed(`The JavaScript interpreter failed: ${errorMessage(error)}`, error)),
    );
    worker.on("exit", (code) =>
      reject(failed(`The JavaScript interpreter ended early with code ${code}`, undefined)),
    );
  });
}

function failed(message: string, cause: unknown): HomeostatError {
  return new HomeostatError("SANDBOX_FAILED", message, {}, { cause });
}

/** The thread was ended from outside, and with it what the program had printed and written. */
const stoppedOutcome = {
  tier: "quickjs",
  exitCode: null,
  signal: "SIGKILL",
  stdout: "",
  stderr: "",
  written: [],
  deleted: [],
} as const;
