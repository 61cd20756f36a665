/** The one error of this client: the server's problem document (RFC 9457), or what kept the server from answering. */

/** One failing place of an input. */
export interface ApiErrorDetail {
  readonly pointer?: string;
  readonly detail: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
}

/** Codes of this client's own; all others come from the server and are listed on its page /reference#errors. */
export type ClientErrorCode = "SERVER_UNREACHABLE" | "ANSWER_UNEXPECTED";

interface ApiErrorFacts {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly hint?: string;
  readonly requestId?: string;
  readonly errors?: readonly ApiErrorDetail[];
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Tell errors apart by `code`. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What happened, with the actual values. */
  readonly detail: string;
  /** What to do. */
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly errors: readonly ApiErrorDetail[];
  /** When the server said so: wait this long before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(facts: ApiErrorFacts) {
    super(facts.detail, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "ApiError";
    this.code = facts.code;
    this.status = facts.status;
    this.detail = facts.detail;
    this.hint = facts.hint;
    this.requestId = facts.requestId;
    this.errors = facts.errors ?? [];
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** True for an ApiError, optionally of one of the given codes. Works across copies of this module. */
export function isApiError(error: unknown, ...codes: readonly string[]): error is ApiError {
  if (!(error instanceof Error) || error.name !== "ApiError" || !("code" in error)) return false;
  return codes.length === 0 || codes.includes(String(error.code));
}

/** `value` is a parsed body that should be a problem document; ANSWER_UNEXPECTED when it is none (a proxy's page). */
export function toApiError(status: number, value: unknown, retryAfterSeconds?: string | null): ApiError {
  const problem =
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const seconds = Number(retryAfterSeconds ?? "");
  const retryAfter = seconds > 0 ? { retryAfterMs: seconds * 1000 } : {};
  if (typeof problem["code"] !== "string" || typeof problem["detail"] !== "string") {
    return new ApiError({
      code: "ANSWER_UNEXPECTED",
      status,
      detail: `The server answered ${status} in a form that is not Homeostat's`,
      hint: "Check the address: another program or a proxy may have answered.",
      ...retryAfter,
    });
  }
  return new ApiError({
    code: problem["code"],
    status,
    detail: problem["detail"],
    ...(typeof problem["hint"] === "string" ? { hint: problem["hint"] } : {}),
    ...(typeof problem["requestId"] === "string" ? { requestId: problem["requestId"] } : {}),
    ...(Array.isArray(problem["errors"]) ? { errors: problem["errors"] as readonly ApiErrorDetail[] } : {}),
    ...retryAfter,
  });
}

export function unreachable(baseUrl: string, cause: unknown): ApiError {
  return new ApiError({
    code: "SERVER_UNREACHABLE",
    status: 0,
    detail: `No Homeostat server answers at ${baseUrl === "" ? "this address" : baseUrl}`,
    hint: "Start it with `homeostat up`, or name the right address.",
    cause,
  });
}
