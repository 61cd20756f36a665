/** Entry of the writer thread: the only writable connection of this process to one database. */
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { serveWriter } from "./serve-writer.ts";
import type { FromWriter, ToWriter, WriterOptions } from "../wire.ts";

const { port, options } = workerData as { readonly port: MessagePort; readonly options: WriterOptions };

// What arrived in one list and was not asked for yet.
const arrived: ToWriter[] = [];

serveWriter(options, {
  clock: systemClock,
  send: (message: FromWriter) => port.postMessage(message),
  receive() {
    if (arrived.length === 0) {
      const more = receiveMessageOnPort(port) as { readonly message: readonly ToWriter[] } | undefined;
      arrived.push(...(more?.message ?? []));
    }
    return arrived.shift();
  },
  listen: (onMessage: (message: ToWriter) => void) =>
    port.on("message", (messages: readonly ToWriter[]) => {
      arrived.push(...messages);
      // Whoever is told of the first asks for the rest.
      const first = arrived.shift();
      if (first !== undefined) onMessage(first);
    }),
  close: () => port.close(),
});
