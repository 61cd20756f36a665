/** What the main thread and the log thread say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { ErrorCode } from "../base/error-codes.ts";
import type { LogOptions, SignedHead } from "./log.ts";
import type { Repairs } from "./recover.ts";

export interface LogThreadData {
  readonly port: MessagePort;
  readonly options: LogOptions;
}

/** Appends become one block each, in order; each is answered by `committed`, or `failed` ends the thread. */
export type ToLog =
  | { readonly kind: "append"; readonly payload: Uint8Array<ArrayBuffer>; readonly count: number }
  | { readonly kind: "close" };

export type FromLog =
  | {
      readonly kind: "opened";
      readonly head: SignedHead;
      readonly verifierKey: string;
      readonly repairs: Repairs;
    }
  | {
      readonly kind: "committed";
      readonly head: SignedHead;
      readonly count: number;
      readonly durationMs: number;
    }
  | { readonly kind: "failed"; readonly failure: LogFailure }
  | { readonly kind: "closed" };

export interface LogFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}
