/** Starts the thread that writes to a database. */
import type { EventEmitter } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { PostgresWriterOptions, WriterOptions } from "./wire.ts";

export type ThreadProgram =
  | { readonly name: "writer-thread"; readonly options: WriterOptions }
  | { readonly name: "postgres-writer-thread"; readonly options: PostgresWriterOptions };

export interface StartedThread {
  /** Tells of `error` and `exit`. */
  readonly worker: EventEmitter;
  readonly port: MessagePort;
  readonly ended: Promise<void>;
}

// In the repository the thread runs as .ts, in the published package as .js: like this file.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const files = {
  "writer-thread": "sqlite/writer-thread",
  "postgres-writer-thread": "postgres/postgres-writer-thread",
};

export function startThread({ name, options }: ThreadProgram): StartedThread {
  const { port1: port, port2 } = new MessageChannel();
  const worker = new Worker(new URL(`./${files[name]}${extension}`, import.meta.url), {
    name: "store-writer",
    // Options of this process (--input-type, --inspect-brk, --test) are not meant for the thread, and some stop it.
    execArgv: [],
    workerData: { port: port2, options },
    transferList: [port2],
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return { worker, port, ended };
}
