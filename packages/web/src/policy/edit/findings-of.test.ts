import { expect, test } from "vitest";
import { findingsOf } from "./findings-of.ts";

test("findings go to their file, and those without one to the first", () => {
  const names = ["policy.yaml", "policy.d/a.yaml"];
  const of = (file?: string) =>
    ({
      severity: "error",
      message: String(file),
      path: "",
      line: 1,
      column: 1,
      ...(file === undefined ? {} : { file }),
    }) as const;
  const findings = [of(), of("policy.d/a.yaml"), of("/home/x/policy.yaml"), of("policy.yaml")];
  expect(findingsOf(findings, { name: "policy.d/a.yaml", names }).map(({ message }) => message)).toEqual([
    "policy.d/a.yaml",
  ]);
  expect(findingsOf(findings, { name: "policy.yaml", names })).toHaveLength(3);
});
