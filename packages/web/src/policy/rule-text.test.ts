import { expect, test } from "vitest";
import { describeRule } from "./rule-text.ts";

const rule = { name: "deletes-ask", effect: "ask", line: 12 } as const;

test("a description speaks for itself", () => {
  expect(describeRule({ ...rule, description: "A person confirms deletes.", actions: ["x"] })).toBe(
    "A person confirms deletes.",
  );
});

test("fields become words and empty ones fall away", () => {
  expect(
    describeRule({ ...rule, actions: ["file_ops.delete", "file_ops.move"], resources: [], risk: null }),
  ).toBe("actions file_ops.delete, file_ops.move");
  expect(describeRule({ ...rule, match: { action: "http.*", hosts: ["a", "b"] } })).toBe(
    "match action http.*, hosts a, b",
  );
});
