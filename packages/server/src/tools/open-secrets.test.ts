import { expect, test } from "vitest";
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { openSecretsOf } from "./open-secrets.ts";
import { createTestContext } from "./testing-context.ts";
import type { AnyTool, ResolvedAction } from "./tool.ts";

const seen: unknown[] = [];
const tool: AnyTool = {
  name: "test.call",
  description: "",
  args: z.never(),
  effect: "unsafe",
  risk: "low",
  defaultTimeoutMs: 1_000,
  maxTimeoutMs: 1_000,
  resolve: () => Promise.reject(new Error("not asked here")),
  execute(resolved) {
    seen.push(resolved.args);
    return Promise.resolve({ output: null, labels: [], touchedFiles: false });
  },
  check(resolved) {
    seen.push(resolved.args);
    return Promise.resolve({ kind: "unknown" });
  },
};
const resolved: ResolvedAction = { resource: "r", args: { a: "secret://x@1" }, summary: "" };

test("acting and looking after an act get the values, and what was recorded keeps the handle", async () => {
  const opened = openSecretsOf(new Map([["test.call", tool]]), (tenant) =>
    Promise.resolve({ a: `value of ${tenant}` }),
  );
  const context = createTestContext({ tenant: "acme" });
  await opened.get("test.call")!.execute(resolved, context);
  await opened.get("test.call")!.check!(resolved, context);
  expect(seen).toEqual([{ a: "value of acme" }, { a: "value of acme" }]);
  expect(resolved.args).toEqual({ a: "secret://x@1" });
});

test("a tool without a check has none afterwards", () => {
  const { check: _, ...plain } = tool;
  const opened = openSecretsOf(new Map([["test.call", plain]]), (_tenant, args) => Promise.resolve(args));
  expect(opened.get("test.call")).not.toHaveProperty("check");
});

test("a secret that cannot be opened leaves no doubt about the action: it did not happen", async () => {
  const failing = new HomeostatError("VAULT_FAILED", "Vault is away", { transient: true });
  const opened = openSecretsOf(new Map([["test.call", tool]]), () => Promise.reject(failing)).get(
    "test.call",
  )!;
  await expect(opened.execute(resolved, createTestContext())).rejects.toMatchObject({
    code: "VAULT_FAILED",
    data: { transient: true, didNotHappen: true },
  });
  const broken = openSecretsOf(new Map([["test.call", tool]]), () => Promise.reject(new Error("bug"))).get(
    "test.call",
  )!;
  await expect(broken.execute(resolved, createTestContext())).rejects.toThrow("bug");
});
