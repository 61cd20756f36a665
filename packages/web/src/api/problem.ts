/** The one kind of error the pages show: an RFC 9457 problem, also made for answers that never came. */

export interface ProblemDetail {
  readonly pointer?: string;
  readonly detail: string;
  readonly hint?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Problem {
  /** 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint?: string;
  readonly requestId?: string;
  readonly errors: readonly ProblemDetail[];
}

export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail === "" ? problem.title : problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** Reads a problem+json body; anything else becomes a problem that says what came instead. */
export function parseProblem(status: number, body: unknown): Problem {
  const fields = isRecord(body) ? body : {};
  const text = (name: string): string | undefined =>
    typeof fields[name] === "string" && fields[name] !== "" ? fields[name] : undefined;
  const hint = text("hint");
  const requestId = text("requestId");
  return {
    status,
    code: text("code") ?? `HTTP_${status}`,
    title: text("title") ?? `The server answered ${status}`,
    detail: text("detail") ?? "",
    errors: Array.isArray(fields["errors"]) ? fields["errors"].filter(isDetail) : [],
    ...(hint === undefined ? {} : { hint }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

export function unreachable(cause: unknown): Problem {
  return {
    status: 0,
    code: "SERVER_UNREACHABLE",
    title: "No answer from the server",
    detail: cause instanceof Error ? cause.message : String(cause),
    hint: "See whether `homeostat up` is running; this page goes on by itself once it answers.",
    errors: [],
  };
}

/** Any thrown value as a problem, for showing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    status: 0,
    code: "DASHBOARD_FAULT",
    title: "The dashboard stumbled",
    detail: error instanceof Error ? error.message : String(error),
    hint: "Reload the page. If it comes again, this is a fault in Homeostat.",
    errors: [],
  };
}

function isDetail(value: unknown): value is ProblemDetail {
  return isRecord(value) && typeof value["detail"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
