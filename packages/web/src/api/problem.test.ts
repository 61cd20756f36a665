import { expect, test } from "vitest";
import { isFinal, isSignedOut, problemOf, titleOf } from "./problem.ts";

/** The client's error as it is told apart: by its name. */
function apiError(facts: { readonly code: string; readonly status: number; readonly detail: string }): Error {
  return Object.assign(new Error(facts.detail), { name: "ApiError", errors: [], ...facts });
}

const missing = apiError({ code: "RUN_NOT_FOUND", status: 404, detail: "There is no run x" });

test("a problem keeps the code and gets a title", () => {
  expect(problemOf(missing)).toEqual({
    status: 404,
    code: "RUN_NOT_FOUND",
    title: "Run not found",
    detail: "There is no run x",
    errors: [],
  });
});

test("anything else thrown is the dashboard's own fault", () => {
  expect(problemOf(new TypeError("x is not a function"))).toMatchObject({
    code: "DASHBOARD_FAULT",
    status: 0,
  });
  expect(problemOf("odd").detail).toBe("odd");
});

test("what is final and what wants signing in", () => {
  const withStatus = (status: number): Error => apiError({ code: "X", status, detail: "" });
  expect([0, 401, 404, 429, 503].map((status) => isFinal(withStatus(status)))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
  expect(isSignedOut(withStatus(401))).toBe(true);
  expect(isSignedOut(missing)).toBe(false);
});

test("titleOf reads like a sentence", () => {
  expect(titleOf("APPROVAL_CONFLICT")).toBe("Approval conflict");
});
