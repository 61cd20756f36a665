/** Shows any error the same way: what happened, where, and what to do. */
import { isApiError } from "@homeostat/client/api-error";
import type { ErrorDetail } from "../../base/error.ts";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import { oneLine } from "./table.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** The error's document with --json: the same members as the API's problem documents. */
export interface ShownError {
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
  readonly requestId?: string;
  readonly errors?: readonly ErrorDetail[];
}

/** With --json on standard output, as the command's one document; for people on standard error. */
export function reportError(error: unknown, terminal: Terminal): void {
  const shown = describeError(error);
  if (terminal.json) terminal.result({ error: shown }, () => "");
  else terminal.note((paint) => formatError(shown, paint));
}

/** Pure. A fault of ours keeps its stack for the report to us; users' errors never show one. */
export function describeError(error: unknown): ShownError {
  if (isHomeostatError(error)) {
    const details =
      error.details.length > 0
        ? error.details
        : error.place === undefined
          ? []
          : [{ detail: error.message, ...error.place }];
    return {
      code: error.code,
      detail: error.message,
      hint: error.hint,
      ...(details.length > 0 ? { errors: details } : {}),
    };
  }
  if (isApiError(error)) {
    return {
      code: error.code,
      detail: error.detail,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
      ...(error.errors.length > 0 ? { errors: error.errors } : {}),
    };
  }
  return {
    code: "INTERNAL",
    detail: error instanceof Error ? (error.stack ?? error.message) : errorMessage(error),
    hint: "This is a fault in Homeostat; please report it with these lines.",
  };
}

export function formatError(
  { code, detail, hint, requestId, errors = [] }: ShownError,
  paint: Paint,
): string {
  const lines = [`${paint("red", "error:")} ${detail} ${paint("dim", `(${code})`)}`];
  // One detail usually repeats the message; then only its place is news.
  for (const each of errors) {
    const place = placeOf(each);
    const isNews = errors.length > 1 || !detail.includes(each.detail);
    if (isNews)
      lines.push(
        `  ${place === "" ? "" : `${place}: `}${oneLine(each.detail)}${each.hint === undefined ? "" : ` (${each.hint})`}`,
      );
    else if (place !== "" && !detail.includes(place)) lines.push(`  at ${place}`);
  }
  if (hint !== undefined) lines.push(`  ${paint("cyan", "hint:")} ${hint}`);
  if (requestId !== undefined && code === "INTERNAL")
    lines.push(`  the server's log has it under ${requestId}`);
  return lines.join("\n");
}

/** `workflow.yaml:3:5 steps[0].id`, `/inputs/count`, or as much of it as is known. */
function placeOf({ file, line, column, path, pointer }: ErrorDetail): string {
  const spot =
    line === undefined
      ? (file ?? "")
      : `${file ?? "line "}${file === undefined ? "" : ":"}${line}:${column ?? 1}`;
  const field = path ?? (pointer === "" ? undefined : pointer);
  return [spot, field].filter((part) => part !== undefined && part !== "").join(" ");
}
