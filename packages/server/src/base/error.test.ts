import { describe, expect, test } from "vitest";
import { errorCodes } from "./error-codes.ts";
import { errorMessage, HomeostatError, isHomeostatError, isProgrammingError } from "./error.ts";

describe("HomeostatError", () => {
  test("takes status and hint from the table", () => {
    const error = new HomeostatError("RUN_NOT_FOUND", "There is no run run_1", { run: "run_1" });
    expect(error).toMatchObject({
      name: "HomeostatError",
      code: "RUN_NOT_FOUND",
      status: 404,
      hint: errorCodes.RUN_NOT_FOUND.hint,
      data: { run: "run_1" },
      details: [],
      place: undefined,
    });
    expect("cause" in error).toBe(false);
  });

  test("a quotation that was cut between the halves of a sign is text all the same", () => {
    const cut = "found \u{1f600}".slice(0, -1);
    const error = new HomeostatError("CONFIG_INVALID", cut, {}, { details: [{ detail: cut, path: "a" }] });
    expect([error.message, error.details]).toEqual(["found \ufffd", [{ detail: "found \ufffd", path: "a" }]]);
  });

  test("keeps a better hint, the cause, the place and the details", () => {
    const cause = new Error("EACCES");
    const error = new HomeostatError(
      "CONFIG_INVALID",
      "Wrong port",
      {},
      {
        cause,
        hint: "Use 1 to 65535.",
        place: { file: "a.yaml", line: 3 },
        details: [{ detail: "too big" }],
      },
    );
    expect(error).toMatchObject({
      cause,
      hint: "Use 1 to 65535.",
      place: { line: 3 },
      details: [{ detail: "too big" }],
    });
  });

  test("is recognised by name and code, not by class", () => {
    const foreign = Object.assign(new Error("from another copy"), {
      name: "HomeostatError",
      code: "TIMEOUT",
    });
    expect(isHomeostatError(foreign)).toBe(true);
    expect(isHomeostatError(foreign, "TIMEOUT", "USAGE")).toBe(true);
    expect(isHomeostatError(foreign, "USAGE")).toBe(false);
    expect(isHomeostatError(new Error("plain"))).toBe(false);
    expect(isHomeostatError({ name: "HomeostatError", code: "TIMEOUT" })).toBe(false);
    expect(isHomeostatError(undefined)).toBe(false);
  });
});

describe("the table of codes", () => {
  test("is in alphabetical order, with upper-case names, HTTP error statuses and hints that are sentences", () => {
    const codes = Object.keys(errorCodes);
    expect(codes).toEqual([...codes].sort());
    for (const [code, { status, hint }] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(hint).toMatch(/^[A-Z`/].*\.$/s);
    }
  });
});

test("errorMessage finds words for anything thrown and never throws", () => {
  expect(errorMessage(new Error("boom"))).toBe("boom");
  expect(errorMessage("text")).toBe("text");
  expect(errorMessage(undefined)).toBe("undefined");
  expect(errorMessage(Object.create(null))).toBe("unprintable error");
});

test("faults of our own code are told apart from what the world does", () => {
  const ours = [new HomeostatError("INTERNAL", "x"), new TypeError("x"), new RangeError("x")];
  const others = [new HomeostatError("STORE_UNAVAILABLE", "x"), new Error("x"), "x", null];
  expect(ours.map(isProgrammingError)).toEqual(ours.map(() => true));
  expect(others.map(isProgrammingError)).toEqual(others.map(() => false));
});
