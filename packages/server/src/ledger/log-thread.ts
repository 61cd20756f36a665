/** The thread that owns the ledger's files: opens them, appends one block per message, reports each signed head. */
import { workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { errorMessage, isHomeostatError } from "../base/error.ts";
import type { FromLog, LogFailure, LogThreadData, ToLog } from "./log-messages.ts";
import { openLog } from "./log.ts";
import type { Log } from "./log.ts";

serve(workerData as LogThreadData);

function serve({ port, options }: LogThreadData): void {
  let log: Log;
  try {
    log = openLog(options, systemClock.now());
  } catch (error) {
    send(port, { kind: "failed", failure: describe(error) });
    return port.close();
  }
  send(port, { kind: "opened", head: log.head, verifierKey: log.verifierKey, repairs: log.repairs });
  port.on("message", (message: ToLog) => {
    if (message.kind === "append") return append(port, log, message);
    log.close();
    send(port, { kind: "closed" });
    port.close();
  });
}

function append(port: MessagePort, log: Log, { payload, count }: ToLog & { kind: "append" }): void {
  const startMs = systemClock.monotonic();
  try {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const head = log.append({ payload: bytes, count });
    send(port, { kind: "committed", head, count, durationMs: systemClock.monotonic() - startMs });
  } catch (error) {
    log.close();
    send(port, { kind: "failed", failure: describe(error) });
    port.close();
  }
}

/** Errors lose their class on the way to another thread. What is no HomeostatError is the file system's. */
function describe(error: unknown): LogFailure {
  if (isHomeostatError(error)) return { code: error.code, message: error.message, data: error.data };
  return {
    code: "LEDGER_UNAVAILABLE",
    message: `The ledger cannot be written: ${errorMessage(error)}`,
    data: {},
  };
}

function send(port: MessagePort, message: FromLog): void {
  port.postMessage(message);
}
