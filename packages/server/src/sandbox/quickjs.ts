/** The QuickJS tier: pure JavaScript in WebAssembly in a thread of its own, on every host, without any isolation of the system. */
import { Worker } from "node:worker_threads";
import type { Clock } from "../base/clock.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";
import { readInputs } from "./inputs.ts";
import type { QuickjsInput } from "./quickjs-program.ts";
import type { SandboxOutcome, SandboxRequest } from "./sandbox.ts";

/** The thread gets this much longer than the program: some built-in operations never ask whether time is over. */
const graceMs = 250;

/** Heap of the thread around the interpreter, in MiB: it holds what the program prints and writes, as text. */
const threadHeapMiB = 512;

/**
 * Runs the program and resolves with its outcome, whatever it does. Rejects with the signal's reason when aborted,
 * SANDBOX_REQUEST_INVALID when the inputs do not fit, and SANDBOX_FAILED when the thread could not do its work.
 * Environment variables are not given to the program: there is nothing in its world that would read them.
 */
export async function runInQuickjs(request: SandboxRequest, clock: Clock): Promise<SandboxOutcome> {
  const inputs = await readInputs(request.inputFolder, request.limits);
  request.signal.throwIfAborted();
  const startedAtMs = clock.monotonic();
  const worker = startThread({
    source: request.source,
    args: request.args,
    stdin: request.stdin ?? "",
    inputFolder: request.inputFolder ?? "",
    inputs,
    outputFolder: request.outputFolder,
    limits: request.limits,
  });
  const ended = new AbortController();
  const timeout = clock.sleep(request.limits.wallMs + graceMs, ended.signal).then(
    () => "wall" as const,
    () => "ended" as const,
  );
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(request.signal.reason as Error);
  request.signal.addEventListener("abort", onAbort);
  try {
    const outcome = await Promise.race([answerOf(worker), timeout, aborted.promise]);
    return typeof outcome === "object" ? outcome : stopped(outcome, clock.monotonic() - startedAtMs);
  } finally {
    ended.abort();
    request.signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

function startThread(input: QuickjsInput): Worker {
  // The published package holds the compiled files.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./quickjs-thread.${extension}`, import.meta.url), {
    workerData: input,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: threadHeapMiB },
  });
}

function answerOf(worker: Worker): Promise<SandboxOutcome | "memory"> {
  return new Promise((resolve, reject) => {
    worker.on("message", (outcome: SandboxOutcome) => resolve(outcome)); // posted by quickjs-thread.ts alone
    worker.on("error", (error) => {
      if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") return resolve("memory");
      reject(failed(`The JavaScript interpreter failed: ${errorMessage(error)}`, error));
    });
    worker.on("exit", (code) =>
      reject(failed(`The JavaScript interpreter ended early with code ${code}`, undefined)),
    );
  });
}

function failed(message: string, cause: unknown): HomeostatError {
  return new HomeostatError("SANDBOX_FAILED", message, {}, { cause });
}

/** The thread was ended from outside, and with it what the program had printed and written. */
function stopped(limitHit: "wall" | "memory" | "ended", durationMs: number): SandboxOutcome {
  return {
    tier: "quickjs",
    exitCode: null,
    signal: "SIGKILL",
    limitHit: limitHit === "memory" ? "memory" : "wall",
    stdout: "",
    stderr: "",
    durationMs,
    written: [],
    deleted: [],
    refused: [],
  };
}
