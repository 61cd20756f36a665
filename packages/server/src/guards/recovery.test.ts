import { expect, test } from "vitest";
import { errorCodes } from "../base/error-codes.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { classOf, errorClasses, isWorthRetrying, recoveryOf } from "./recovery.ts";

test("every code of the table has a class, and every class a recovery", () => {
  const codes = Object.keys(errorCodes) as ErrorCode[];
  expect(codes.filter((code) => classOf(code) === undefined)).toEqual([]);
  for (const errorClass of errorClasses) expect(recoveryOf(errorClass)).toBeTruthy();
});

test("the classes are what they are called", () => {
  expect(classOf("ACTION_INVALID")).toBe("validation");
  expect(classOf("ACTION_FAILED")).toBe("execution");
  expect(classOf("HTTP_FAILED")).toBe("network");
  expect(classOf("CONFIG_INVALID")).toBe("configuration");
  expect(classOf("ACTION_DENIED")).toBe("refused");
});

test("asking again is worth it when the work or the way there failed, and for codes of other programs", () => {
  for (const code of [
    "ACTION_FAILED",
    "ACTION_TIMEOUT",
    "HTTP_FAILED",
    "STORE_UNAVAILABLE",
    "SOMEBODY_ELSES",
  ])
    expect(isWorthRetrying(code)).toBe(true);
  for (const code of [
    "ACTION_INVALID",
    "ACTION_DENIED",
    "SANDBOX_UNAVAILABLE",
    "OUTPUT_INVALID",
    "SECRET_DENIED",
  ])
    expect(isWorthRetrying(code)).toBe(false);
});
