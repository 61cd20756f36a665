/** Entry of the writer thread: the only writable connection of this process to one database. */
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { serveWriter } from "./serve-writer.ts";
import type { FromWriter, ToWriter, WriterOptions } from "./wire.ts";

const { port, options } = workerData as { readonly port: MessagePort; readonly options: WriterOptions };

serveWriter(options, {
  clock: systemClock,
  send: (message: FromWriter) => port.postMessage(message),
  receive: () => (receiveMessageOnPort(port) as { readonly message: ToWriter } | undefined)?.message,
  listen: (onMessage: (message: ToWriter) => void) => port.on("message", onMessage),
  close: () => port.close(),
});
