/** The writer of PostgreSQL in the test's own thread, where its branches are counted; nothing else about it is different. */
import { EventEmitter, once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { servePostgresWriter } from "./postgres-serve-writer.ts";
import type { StartedThread, ThreadProgram } from "../start-thread.ts";
import type { FromWriter, ToWriter } from "../wire.ts";

export type StartThread = (program: ThreadProgram) => StartedThread;

/** In the place of start-thread.ts; SQLite keeps its thread. */
export function startInSameThread(program: ThreadProgram, startThread: StartThread): StartedThread {
  if (program.name === "writer-thread") return startThread(program);
  const { port1: port, port2 } = new MessageChannel();
  const worker = new EventEmitter();
  const ended = once(worker, "exit").then(() => undefined);
  void servePostgresWriter(program.options, {
    clock: systemClock,
    send: (message: FromWriter) => port2.postMessage(message),
    listen: (onMessage: (message: ToWriter) => void) =>
      port2.on("message", (messages: readonly ToWriter[]) => messages.forEach(onMessage)),
    close() {
      // After what was sent before it.
      setImmediate(() => {
        port2.close();
        worker.emit("exit");
      });
    },
  });
  return { worker, port, ended };
}
