/** The one kind of error the pages show: the server's problem document, or why there is none. */
import { isApiError, type ApiErrorDetail } from "@homeostat/client/api-error";

export interface Problem {
  /** 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint?: string;
  readonly requestId?: string;
  readonly errors: readonly ApiErrorDetail[];
}

/** Any thrown value as a problem, for showing. */
export function problemOf(error: unknown): Problem {
  if (!isApiError(error)) {
    return {
      status: 0,
      code: "DASHBOARD_FAULT",
      title: "The dashboard stumbled",
      detail: error instanceof Error ? error.message : String(error),
      hint: "Reload the page. If it comes again, this is a fault in Homeostat.",
      errors: [],
    };
  }
  return {
    status: error.status,
    code: error.code,
    title: titleOf(error.code),
    detail: error.detail,
    errors: error.errors,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
  };
}

/** True when the server wants to know who asks. */
export function isSignedOut(error: unknown): boolean {
  return isApiError(error) && error.status === 401;
}

/** True when asking again would get the same answer. */
export function isFinal(error: unknown): boolean {
  return isApiError(error) && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** `RUN_NOT_FOUND` -> `Run not found`, as the server titles its problems. */
export function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
