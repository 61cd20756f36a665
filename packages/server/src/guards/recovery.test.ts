import { expect, test } from "vitest";
import { HomeostatError } from "../base/error.ts";
import { errorCodes } from "../base/error-codes.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { classOf, errorClasses, isAway, isWorthRetrying, recoveryOf } from "./recovery.ts";

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

test("away is what is on the other side of a network, and nothing that somebody else's code throws", () => {
  expect(isAway(new HomeostatError("STORE_UNAVAILABLE", "The database does not answer"))).toBe(true);
  expect(isAway(new HomeostatError("ACTION_FAILED", "The action failed"))).toBe(false);
  expect(isAway(new Error("STORE_UNAVAILABLE"))).toBe(false);
  expect(isAway(undefined)).toBe(false);
});
