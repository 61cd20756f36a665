/** The log: one JSON object a line, with trace ids, every string redacted, on standard error and where else it is wanted. */
import { pino } from "pino";
import type { Logger as Pino } from "pino";
import type { Clock } from "./clock.ts";
import { errorMessage } from "./error.ts";
import { openRotatingFile } from "./rotating-file.ts";
import type { Rotation } from "./rotating-file.ts";

export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
  /** A logger whose lines all hold this context too. A member `trace_id` becomes the line's own field. */
  child(context: object): Logger;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Takes whole lines with their line end. Must not throw. */
export interface LogStream {
  write(line: string): void;
}

export interface LoggerOptions {
  /** Lines below this level are dropped before anything is done with them. */
  readonly level: LogLevel;
  /** Applied to every string of a line, keys included. Must not throw; runs on the caller's time. */
  readonly redact: (text: string) => string;
  readonly streams: readonly LogStream[];
  readonly clock: Pick<Clock, "now">;
}

/** Lines have the fields `timestamp` (ISO 8601), `level` (its name), `message`, `context` and, where known, `trace_id`. */
export function createLogger({ level, redact, streams, clock }: LoggerOptions): Logger {
  const writer = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"timestamp":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => streams.forEach((stream) => stream.write(line)) },
  );
  return withContext(writer, redact, {});
}

/** For tests, and for commands whose only output is their result. */
export function createSilentLogger(): Logger {
  const silent: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: () => {},
    child: () => silent,
  };
  return silent;
}

/** Standard error; standard output belongs to the results of commands. Written before the call returns, lest a crash eats the reason. */
export function standardErrorStream(): LogStream {
  return lossyDestination({ dest: 2, sync: true });
}

/** Appends to a file that only this user may read and that begins anew when it is large; its folder is created. */
export function fileLogStream(path: string, rotation: Rotation): LogStream {
  return openRotatingFile(path, rotation);
}

function lossyDestination(options: Parameters<typeof pino.destination>[0]): LogStream {
  const destination = pino.destination(options);
  // A full disk or a closed pipe must not stop the server; what it loses is the log's own lines.
  destination.on("error", () => {});
  return { write: (line) => void destination.write(line) };
}

function withContext(writer: Pino, redact: (text: string) => string, bound: Record<string, unknown>): Logger {
  function log(level: LogLevel, context: object, message: string): void {
    if (!writer.isLevelEnabled(level)) return;
    const { trace_id, ...rest } = { ...bound, ...clean(context) };
    writer[level](trace_id === undefined ? { context: rest } : { trace_id, context: rest }, redact(message));
  }
  function clean(context: object): Record<string, unknown> {
    const cleaned = cleanValue(context, redact, 0);
    return isRecord(cleaned) ? cleaned : { value: cleaned };
  }
  return {
    debug: (context, message) => log("debug", context, message),
    info: (context, message) => log("info", context, message),
    warn: (context, message) => log("warn", context, message),
    error: (context, message) => log("error", context, message),
    child: (context) => withContext(writer, redact, { ...bound, ...clean(context) }),
  };
}

// A line that holds more than this is a mistake, and would cost the caller's time: a whole document logged by accident.
const maxDepth = 6;
const maxMembers = 100;
const maxTextLength = 8192;

/** A copy with every string redacted, bounded in depth and size; also breaks cycles. Never throws. */
function cleanValue(value: unknown, redact: (text: string) => string, depth: number): unknown {
  switch (typeof value) {
    case "string":
      // Redacted before it is cut, so that no half of a secret escapes its pattern.
      return cut(redact(value));
    case "bigint":
    case "symbol":
    case "function":
      return cut(redact(errorMessage(value)));
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (depth >= maxDepth) return "[deeper]";
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return String(value);
  if (Array.isArray(value)) {
    return value.slice(0, maxMembers).map((item) => cleanValue(item, redact, depth + 1));
  }
  const members = value instanceof Error ? describeError(value) : value;
  const cleaned: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(members).slice(0, maxMembers)) {
    cleaned[redact(key)] = cleanValue(member, redact, depth + 1);
  }
  return cleaned;
}

/** `name`, `message` and `stack` are not enumerable on errors, so they would be lost. */
function describeError(error: Error): object {
  const { name, message, stack, cause } = error;
  return { ...error, name, message, stack, ...(cause === undefined ? {} : { cause }) };
}

function cut(text: string): string {
  return text.length <= maxTextLength
    ? text
    : `${text.slice(0, maxTextLength)}[${text.length - maxTextLength} more]`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
