import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "./rules/compile.ts";
import { decide } from "./rules/decide.ts";
import type { ActionRequest } from "./rules/decision.ts";
import { lintPolicy } from "./file/lint.ts";
import { findNearMisses } from "./questions/misses.ts";
import { parsePolicyCases, runPolicyCases } from "./questions/policy-cases.ts";
import { diffPolicies } from "./questions/policy-diff.ts";
import { parsePolicyFiles } from "./file/policy-file.ts";
import { conditionOperators } from "./rules/policy.ts";
import { ruleKeys } from "./file/read-rule.ts";

// A failing run prints its seed and the smallest text that fails.

const value: fc.Arbitrary<unknown> = fc.oneof(
  { maxDepth: 3 },
  fc.constantFrom<unknown>("*", "a/**", "**/*.x", "{a,b}/[!c]*", "deny", "ask", "allow", "30s", 5, 0, -1, true, null, "", "user:ada", "mon-fri", "09:00",
    "2026-01-07T12:00:00Z", "Europe/Berlin", "high", "web", "a[*].b", "untrusted-only", [1, 5], { tenant: "acme" }, { from: "09:00", to: "17:00" }, ["a"], {}),
  fc.array(fc.constantFrom<unknown>("a", "web", 1, "x/**"), { maxLength: 3 }),
  fc.record({ arg: fc.constantFrom("n", "a[*].b", "?"), op: fc.constantFrom(...conditionOperators), value: fc.constantFrom<unknown>(1, "a", [1, 2], true, "x/*") }).map((each) => [each]),
  fc.dictionary(fc.constantFrom("from", "to", "by", "quorum", "expires", "count", "per", "agent", "user", "payee", "any", "days", "zone", "instructed"), fc.constantFrom<unknown>("a", 1, "5m", "mon", "UTC", "trusted", 60), { maxKeys: 3 }),
); // prettier-ignore
/** For most keys of a rule, values that fit it. */
const fitting: Readonly<Record<string, readonly unknown[]>> = {
  action: ["a", ["a.b", "file_ops"], "*"],
  effect: ["allow", "ask"],
  description: ["x"],
  resource: ["a/**", ["**/*.x", "{a,b}/[!c]*"]],
  except: ["a/b"],
  where: [[{ arg: "n", op: "gt", value: 1 }], [{ arg: "a[*].b", op: "under", value: "x" }], { any: { from: "untrusted-only" } }],
  labels_any: ["web", ["web", "mail"]],
  scope: [{ tenant: "acme" }, { user: "user:*", agent: "*" }],
  when: [{ days: ["mon-fri"] }, { from: "22:00", to: "06:00" }],
  risk: ["high"],
  redact: [true],
  sandbox: [true, "full"],
  timeout: [5, "30s"],
  rate: [{ count: 5, per: "1m" }],
  blacklist: ["secret", ["**/.env"]],
  acts: [true],
  after: [{ label: "web", within: 3 }],
}; // prettier-ignore
const entry: fc.Arbitrary<readonly [string, unknown]> = fc.constantFrom<string>(...ruleKeys).chain((key) => {
  const good = fitting[key];
  const wild = value.map((each) => [key, each] as const);
  if (good === undefined) return fc.oneof({ weight: 1, arbitrary: wild }, { weight: 9, arbitrary: fc.constant(["effect", "ask"] as const) });
  return fc.oneof({ weight: 1, arbitrary: wild }, { weight: 40, arbitrary: fc.constantFrom(...good).map((each) => [key, each] as const) });
}); // prettier-ignore
const rule = fc
  .array(entry, { maxLength: 4 })
  .map((entries) => ({ effect: "ask", action: "a", ...Object.fromEntries(entries) }));
/** Names are unique in most files. */
const rules = (letter: string): fc.Arbitrary<readonly object[]> =>
  fc
    .array(rule, { maxLength: 3 })
    .map((all) => all.map((each, index) => ({ name: `${letter}${index}`, ...each })));
const file = (letter: string): fc.Arbitrary<object> =>
  fc.record(
    {
      version: fc.oneof({ weight: 30, arbitrary: fc.constantFrom<unknown>(1, "1.0") }, fc.constant(2)),
      rules: rules(letter),
      blocked: fc.oneof({ weight: 20, arbitrary: fc.constantFrom<unknown>(["**/.env"], "secret") }, fc.constant(["["])),
      risk: fc.oneof({ weight: 20, arbitrary: fc.constant<unknown>({ ask: 50 }) }, fc.constantFrom<unknown>({ ask: 90, deny: 10 }, 5)),
      ...(letter === "a" ? {} : { scope: fc.constantFrom<unknown>({ tenant: "acme" }, { user: "user:*" }, { role: "x" }), default: fc.constantFrom("deny", "ask", "allow") }),
      sections: fc.array(fc.record({ scope: fc.constant({ tenant: "acme" }), default: fc.constantFrom("deny", "ask"), rules: rules(`${letter}s`) }, { requiredKeys: ["scope", "rules"] }), { maxLength: 1 }),
    },
    { requiredKeys: ["version", "rules"] },
  ); // prettier-ignore
const fileSets = fc.tuple(file("a"), file("b"), file("c")).chain((all) => fc.integer({ min: 1, max: 3 }).map((count) => all.slice(0, count))); // prettier-ignore
const args = fc.dictionary(
  fc.constantFrom("n", "a", "sizeBytes", "__proto__"),
  fc.jsonValue({ maxDepth: 3 }),
  { maxKeys: 3 },
);
const request: fc.Arbitrary<ActionRequest> = fc.record({
  action: fc.oneof(fc.constantFrom("a", "a.b", "file_ops.read", ""), fc.string()),
  resource: fc.oneof(fc.constantFrom("a/b", "", "x/.env"), fc.string({ unit: "binary" })),
  args: args as fc.Arbitrary<ActionRequest["args"]>,
  labels: fc.constantFrom<ActionRequest["labels"]>([], ["web"]),
  agent: fc.string(),
  role: fc.string(),
  tenant: fc.constantFrom("acme", "default"),
});

describe("whatever the files hold", () => {
  test("they are read to findings or to a policy that decides, explains, and differs from itself in nothing", () => {
    let good = 0;
    fc.assert(
      fc.property(fileSets, request, (files, each) => {
        const result = parsePolicyFiles(files.map((content, index) => ({ name: `policy.d/${index}.yaml`, text: JSON.stringify(content) })));
        if (!result.ok) {
          expect(result.findings.some(({ severity, line }) => severity === "error" && line >= 1)).toBe(true);
          return;
        }
        good++;
        const compiled = compilePolicy(result.policy);
        lintPolicy(result.policy, { knownActions: ["a.b"] });
        const decision = decide(compiled, each);
        expect(["allow", "ask", "deny"]).toContain(decision.effect);
        // Nothing passes that no rule of the organisation lets pass.
        const passed = new Set(result.policy.rules.filter(({ section, effect }) => section === undefined && effect !== "deny").map(({ name }) => name));
        if (decision.effect !== "deny") expect(decision.matched.some(({ name }) => passed.has(name))).toBe(true);
        findNearMisses(compiled, each);
        expect(diffPolicies(result.policy, result.policy)).toMatchObject({ changed: [], examples: [] });
      }),
      { numRuns: 1_500 },
    );
    expect(good).toBeGreaterThan(100);
    // Half a minute is not enough on a busy machine that counts branches.
  }, 180_000); // prettier-ignore

  test("tables of cases are read to findings or to cases", () => {
    const policy = compilePolicy({ version: 1, rules: [], revision: "r" });
    const caseEntry = fc.dictionary(fc.constantFrom("name", "action", "resource", "args", "labels", "expect", "at", "role", "x"), value, { maxKeys: 6 });
    const text = fc.oneof(fc.array(caseEntry, { maxLength: 3 }).map((cases) => JSON.stringify({ cases })), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(text, (given) => {
        const result = parsePolicyCases(given);
        if (result.ok) runPolicyCases(policy, result.cases);
        else expect(result.findings.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  }); // prettier-ignore
});
