/** One thing that is wrong or doubtful in a user's file, with the place, the reason and the way out. */
import type { ErrorDetail } from "./error.ts";

export interface Finding {
  readonly severity: "error" | "warning";
  readonly file?: string;
  /** First line is 1. */
  readonly line: number;
  /** First column is 1. */
  readonly column: number;
  /** The field, for example `steps[2].with.path`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Gathers findings while a file is read. */
export interface FindingCollector {
  error(at: Position, path: string, message: string, hint?: string): void;
  warn(at: Position, path: string, message: string, hint?: string): void;
  hasErrors(): boolean;
  /** In the order of the file. */
  findings(): readonly Finding[];
}

/** More findings than these help nobody: the rest of a broken file is told by one last finding. */
const mostFindings = 50;

export function createFindingCollector(file?: string): FindingCollector {
  const found: Finding[] = [];
  let left = 0;
  let errors = 0;
  function add(
    severity: Finding["severity"],
    at: Position,
    path: string,
    message: string,
    hint?: string,
  ): void {
    if (severity === "error") errors++;
    if (found.length >= mostFindings) {
      left++;
      return;
    }
    found.push({
      severity,
      ...(file === undefined ? {} : { file }),
      line: at.line,
      column: at.column,
      path,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return {
    error: (at, path, message, hint) => add("error", at, path, message, hint),
    warn: (at, path, message, hint) => add("warning", at, path, message, hint),
    hasErrors: () => errors > 0,
    findings() {
      const sorted = found.toSorted((a, b) => a.line - b.line || a.column - b.column);
      const last = sorted.at(-1);
      if (left === 0 || last === undefined) return sorted;
      const { line, column } = last;
      const severity = errors > 0 ? "error" : "warning";
      return [
        ...sorted,
        { severity, line, column, path: "", message: `${left} more findings are not shown` },
      ];
    },
  };
}

/** The form findings take in a HomeostatError's details and in problem+json. */
export function toErrorDetail({ file, line, column, path, message, hint }: Finding): ErrorDetail {
  return {
    detail: message,
    line,
    column,
    path,
    ...(file === undefined ? {} : { file }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** `workflow.yaml:3:5 steps[0].id: message`, for people and logs. */
export function formatFinding({ file, line, column, path, message, hint }: Finding): string {
  const place = `${file === undefined ? "line " : `${file}:`}${line}:${column}`;
  return `${place}${path === "" ? "" : ` ${path}`}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
}
