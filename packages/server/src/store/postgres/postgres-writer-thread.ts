/** Entry of the thread that writes to PostgreSQL: a busy main thread can neither hold its locks nor starve its leases. */
import { workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { servePostgresWriter } from "./postgres-serve-writer.ts";
import type { FromWriter, PostgresWriterOptions, ToWriter } from "../wire.ts";

const { port, options } = workerData as {
  readonly port: MessagePort;
  readonly options: PostgresWriterOptions;
};

void servePostgresWriter(options, {
  clock: systemClock,
  send: (message: FromWriter) => port.postMessage(message),
  listen: (onMessage: (message: ToWriter) => void) =>
    port.on("message", (messages: readonly ToWriter[]) => messages.forEach(onMessage)),
  close: () => port.close(),
});
