/** What to do about an error, by its class: the one table that retries, breakers and people's messages go by. Pure. */
import { isHomeostatError } from "../base/error.ts";
import type { ErrorCode } from "../base/error-codes.ts";

/**
 * `validation`: what was asked is wrong; ask again with the message as feedback. `execution`: the work itself failed; try
 * again or another way. `network`: the other side is away; stop calling it for a while. `configuration`: only a person can
 * change it. `refused`: somebody or policy said no, and asking again is no use. `internal`: a fault of ours.
 */
export const errorClasses = [
  "validation",
  "execution",
  "network",
  "configuration",
  "refused",
  "internal",
] as const;
export type ErrorClass = (typeof errorClasses)[number];

/** For people. */
export const classMeanings: Readonly<Record<ErrorClass, string>> = {
  validation: "What was asked is wrong: ask again with the message as feedback.",
  execution: "The work itself failed: `retry` tries again, a `catch` may go another way.",
  network: "The other side is away: tries go on later, and a breaker stops calling it for a while.",
  configuration: "Only a person can change it: the step fails at once.",
  refused: "Somebody or policy said no: the step fails at once.",
  internal: "A fault of ours: the step fails at once.",
};

export type Recovery = "retry-with-feedback" | "fallback" | "break" | "fail";

const recoveries: Readonly<Record<ErrorClass, Recovery>> = {
  validation: "retry-with-feedback",
  execution: "fallback",
  network: "break",
  configuration: "fail",
  refused: "fail",
  internal: "fail",
};

export function recoveryOf(errorClass: ErrorClass): Recovery {
  return recoveries[errorClass];
}

/** By the part of a code that says what happened; codes that say it otherwise are listed below. */
const byEnding: readonly (readonly [RegExp, ErrorClass])[] = [
  [
    /_(DENIED|REJECTED|EXPIRED|FORBIDDEN|CONFLICT|LIMITED|REUSED|ABANDONED|CANCELLED|EXPOSED|ERASED)$/,
    "refused",
  ],
  [/_(INVALID|NOT_FOUND|UNKNOWN|TOO_LARGE|NEEDED|REQUIRED|EXISTS|UNSUPPORTED)$/, "validation"],
  [/_(UNAVAILABLE|BUSY|THROTTLED|STOPPING|OPEN|FULL|CLOSED)$/, "network"],
  [/_(UNUSABLE|UNSAFE|TAKEN|UNSUITABLE|MISMATCH)$/, "configuration"],
  [/_(FAILED|TIMEOUT|LOST)$/, "execution"],
  [/_(CORRUPT|BROKEN)$/, "internal"],
];

const exceptions: Readonly<Partial<Record<ErrorCode, ErrorClass>>> = {
  CONFIG_INVALID: "configuration",
  POLICY_INVALID: "configuration",
  PERMIT_INVALID: "internal",
  GUARD_FAILED: "internal",
  LEDGER_ENTRY_INVALID: "internal",
  HTTP_FAILED: "network",
  VAULT_FAILED: "network",
  INTERNAL: "internal",
  BACKUP_PASSPHRASE: "validation",
  BACKUP_TARGET: "validation",
  FILE_CHANGED: "refused",
  NODE_TOO_OLD: "configuration",
  REQUEST_HOSTILE: "refused",
  REQUEST_MALFORMED: "validation",
  REQUEST_METHOD_NOT_ALLOWED: "validation",
  RUN_REPEATS_EFFECTS: "refused",
  RUN_STUCK: "internal",
  RUN_TOO_LONG: "validation",
  SERVER_UNREACHABLE: "network",
  STORE_IN_USE: "refused",
  STORE_MOVED: "configuration",
  STORE_MOVE_UNFINISHED: "configuration",
  STORE_TARGET_NOT_EMPTY: "validation",
  WORKFLOW_TOO_DEEP: "validation",
  NOT_FOUND: "validation",
  USAGE: "validation",
  TIMEOUT: "execution",
  SANDBOX_UNAVAILABLE: "configuration",
};

/** Undefined for a code that nobody has classified; a test keeps that from happening. */
export function classOf(code: ErrorCode): ErrorClass | undefined {
  return exceptions[code] ?? byEnding.find(([ending]) => ending.test(code))?.[1];
}

/** For any code, also one of a tool of somebody else's: its own work failed, as far as is known. */
export function classOfCode(code: string): ErrorClass {
  return classOf(code as ErrorCode) ?? "execution";
}

/** Whether something this needs is away, so that the same will do later: a database, a store of blobs, a host. */
export function isAway(error: unknown): boolean {
  return isHomeostatError(error) && classOf(error.code) === "network";
}

/** Whether the same again may help: not when what was asked, or what is configured, has to change first. */
export function isWorthRetrying(code: string): boolean {
  const errorClass = classOfCode(code);
  return errorClass === "execution" || errorClass === "network";
}
