/** Turns anything thrown into an RFC 9457 problem document; the one place that decides what an error tells the caller. */
import { errorCodes } from "../base/error-codes.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import type { ErrorDetail } from "../base/error.ts";

export const problemType = "application/problem+json; charset=utf-8";

export interface Problem {
  /** Address of the code's row on the local reference page. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request's path, without its query: that may hold what must not be repeated. */
  readonly instance: string;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly requestId: string;
  readonly errors?: readonly ErrorDetail[];
}

/**
 * The document for an error. Only a HomeostatError's own words are shown; everything else becomes INTERNAL with a
 * sentence that leads to the log, so that no stack, path or query of ours leaves the process.
 */
export function problemOf(
  error: unknown,
  place: { readonly requestId: string; readonly instance: string },
): Problem {
  const known = asHomeostatError(error);
  const errors =
    known.details.length > 0 ? known.details : known.place === undefined ? [] : [placeDetail(known)];
  return {
    type: `/reference#${known.code}`,
    title: titleOf(known.code),
    status: known.status,
    detail: known.message,
    instance: place.instance,
    code: known.code,
    hint: known.hint,
    requestId: place.requestId,
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** Headers that belong to an error besides its document. */
export function problemHeaders(error: unknown): Readonly<Record<string, string>> {
  const known = asHomeostatError(error);
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (known.code === "AUTHENTICATION_REQUIRED") {
    const wrong = known.data["wrongToken"] === true ? ', error="invalid_token"' : "";
    headers["www-authenticate"] = `Bearer realm="homeostat"${wrong}`;
  }
  if (typeof known.data["retryAfterSeconds"] === "number") {
    headers["retry-after"] = String(known.data["retryAfterSeconds"]);
  }
  if (Array.isArray(known.data["allow"])) headers["allow"] = known.data["allow"].join(", ");
  return headers;
}

/** True when the error is ours to look into, not the caller's. */
export function isFault(error: unknown): boolean {
  return asHomeostatError(error).status >= 500;
}

/** `RUN_NOT_FOUND` -> `Run not found`. */
function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What fastify itself refuses, by its code; everything absent here is INTERNAL. */
const fastifyCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["REQUEST_TOO_LARGE", "The body is larger than this route takes"],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["REQUEST_UNSUPPORTED", "The body's Content-Type is not application/json"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["REQUEST_MALFORMED", "Content-Length does not match the body"],
  FST_ERR_BAD_URL: ["REQUEST_MALFORMED", "The path is not valid percent-encoding"],
  FST_ERR_MAX_PARAM_LENGTH: ["REQUEST_MALFORMED", "A name in the path is longer than any there is"],
  FST_STATIC_FORBIDDEN_PATH: ["NOT_FOUND", "Nothing answers at this path"],
  ECONNRESET: ["REQUEST_MALFORMED", "The connection ended before the request was complete"],
};

function asHomeostatError(error: unknown): HomeostatError {
  if (isHomeostatError(error) && Object.hasOwn(errorCodes, error.code) && error.code !== "INTERNAL")
    return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const row = Object.hasOwn(fastifyCodes, code) ? fastifyCodes[code] : undefined;
  if (row !== undefined) return new HomeostatError(row[0], row[1], {}, { cause: error });
  return new HomeostatError("INTERNAL", "An unexpected fault ended this request", {}, { cause: error });
}

function placeDetail(error: HomeostatError): ErrorDetail {
  return { detail: error.message, ...error.place };
}
