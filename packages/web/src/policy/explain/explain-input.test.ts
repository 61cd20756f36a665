import { expect, test } from "vitest";
import { emptyForm, readForm } from "./explain-input.ts";

test("what is left empty is left out", () => {
  expect(readForm({ ...emptyForm, action: " http.get ", resource: "x", agent: "", labels: ["web"] })).toEqual(
    {
      ok: true,
      input: { action: "http.get", resource: "x", args: {}, labels: ["web"], role: "operator" },
    },
  );
});

test("arguments are JSON objects; anything else is told in words", () => {
  expect(readForm({ ...emptyForm, args: '{"a":[1]}' })).toMatchObject({
    ok: true,
    input: { args: { a: [1] } },
  });
  expect(readForm({ ...emptyForm, args: "[1]" })).toMatchObject({
    ok: false,
    message: expect.stringContaining("braces"),
  });
  expect(readForm({ ...emptyForm, args: "{a" })).toMatchObject({
    ok: false,
    message: expect.stringContaining("no JSON"),
  });
});
