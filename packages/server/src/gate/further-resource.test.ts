import { expect, test } from "vitest";
import type { ActionRequest, Decision } from "../policy/rules/decision.ts";
import { requireFurther } from "./further-resource.ts";

const request = { action: "http.get", args: {}, labels: [], agent: "workflow:w", role: "admin", tenant: "t" };

function decision(effect: Decision["effect"], more: Partial<Decision> = {}): Decision {
  return { effect, risk: "low", obligations: {}, matched: [], reason: "a rule", revision: "r", ...more };
}

function asking(rule: string, quorum: number): Decision {
  const approval = { by: ["approver"], quorum, fourEyes: false, expiresMs: 1_000 } as never;
  const matched = [{ name: rule, effect: "ask" }] as never;
  return decision("ask", { obligations: { approval }, matched });
}

function going(before: Decision, now: Decision): () => void {
  return () => requireFurther({ request, decision: before }, "https://b:443/x", () => now);
}

const refused = expect.objectContaining({ code: "ACTION_DENIED" }) as Error;

test("asks policy the same about the new resource, which an allow lets through", () => {
  const asked: ActionRequest[] = [];
  requireFurther({ request, decision: decision("allow") }, "https://b:443/x", (given) => {
    asked.push(given);
    return decision("allow");
  });
  expect(asked).toEqual([{ ...request, resource: "https://b:443/x" }]);
});

test("a deny stops and names the resource", () => {
  expect(going(decision("allow"), decision("deny"))).toThrow(/leads on to https:\/\/b:443\/x: policy denies/);
  expect(going(asking("r", 1), decision("deny"))).toThrow(refused);
});

test("a question stops unless people said yes to one that demanded no less", () => {
  expect(going(decision("allow"), asking("r", 1))).toThrow(refused);
  expect(going(asking("r", 1), asking("r", 1))).not.toThrow();
  expect(going(asking("r", 1), asking("r", 2))).toThrow(refused);
  expect(going(asking("r", 1), asking("other", 1))).toThrow(refused);
});

test("demands that the action was not begun with stop it", () => {
  const redacted = decision("allow", { obligations: { redact: true } });
  expect(going(decision("allow"), redacted)).toThrow(/redacted/);
  expect(going(redacted, redacted)).not.toThrow();
});

test("texts that policy wants changed for the new resource stop it unless the action goes on with changed ones", () => {
  const transforms = [{ path: "body", handling: "strip", from: 60, rule: "r" }] as const;
  const wanting = { ...asking("r", 1), transforms };
  const changed = { ...asking("r", 1), transformed: { rules: ["r"], changes: [] } };
  expect(going(asking("r", 1), wanting)).toThrow(/texts of the request changed/);
  expect(going(changed, wanting)).not.toThrow();
});

test("what nobody judged goes nowhere", () => {
  expect(() => requireFurther({}, "https://b:443/", () => decision("allow"))).toThrow(refused);
});
