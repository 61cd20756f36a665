/** The one error type of the server: a code from the table, a message with the actual values, and what to do. */
import { errorCodes } from "./error-codes.ts";
import type { ErrorCode, ErrorRow } from "./error-codes.ts";

/** Where in a user's file something was wrong; `path` is the field, for example `steps[2].with.path`. */
export interface SourcePlace {
  readonly file?: string;
  /** First line is 1. */
  readonly line?: number;
  /** First column is 1. */
  readonly column?: number;
  readonly path?: string;
}

/** One of several findings in a bad input; `pointer` is an RFC 6901 JSON pointer or a file place in words. */
export interface ErrorDetail extends SourcePlace {
  readonly pointer?: string;
  readonly detail: string;
  readonly hint?: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Overrides the table's hint where the remedy is known more exactly. */
  readonly hint?: string;
  readonly place?: SourcePlace;
  readonly details?: readonly ErrorDetail[];
}

/** Told apart by `code`, never by text. `data` holds the actual values for programs; it must hold no secret. */
export class HomeostatError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly place: SourcePlace | undefined;
  readonly details: readonly ErrorDetail[];

  constructor(
    code: ErrorCode,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    options: ErrorOptions = {},
  ) {
    // Messages quote the beginning of what was given, and a cut may fall between the halves of a sign.
    super(message.toWellFormed(), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HomeostatError";
    this.code = code;
    const row: ErrorRow = errorCodes[code];
    this.status = row.status;
    this.hint = options.hint ?? row.hint;
    this.data = data;
    this.place = options.place;
    this.details = (options.details ?? []).map((each) => ({ ...each, detail: each.detail.toWellFormed() }));
  }
}

/** True for a HomeostatError, optionally of one of the given codes. Works across copies of this module. */
export function isHomeostatError(error: unknown, ...codes: readonly ErrorCode[]): error is HomeostatError {
  if (!(error instanceof Error) || error.name !== "HomeostatError" || !("code" in error)) return false;
  return codes.length === 0 || codes.includes(error.code as ErrorCode);
}

/** An error of our own code rather than of the world around it: to go on as before would meet it again. */
export function isProgrammingError(error: unknown): boolean {
  if (isHomeostatError(error, "INTERNAL")) return true;
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
}

/** The text of anything thrown, for logs and `lastError`; never throws. */
export function errorMessage(error: unknown): string {
  if (error instanceof Error) return error.message;
  try {
    return String(error);
  } catch {
    return "unprintable error";
  }
}
