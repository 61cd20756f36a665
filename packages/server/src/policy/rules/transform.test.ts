import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ArgumentOrigin } from "./argument-origin.ts";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import type { ActionRequest } from "./decision.ts";
import { describeObligations } from "./explain.ts";
import { parsePolicy, requirePolicy } from "../file/policy-file.ts";

const origin = (path: string, more: Partial<ArgumentOrigin> = {}): ArgumentOrigin => ({
  ...{ path, role: "body", from: "mixed", how: "contained", labels: ["web"], sources: [] },
  ...{ instructed: 90, isDelegated: false, ...more },
});
const request = (...origins: readonly ArgumentOrigin[]): ActionRequest => ({
  ...{ action: "mail.send", resource: "x", args: {}, labels: [], agent: "a", role: "r", tenant: "t" },
  flow: { arguments: origins, history: [], isEffect: true, isRequested: null, newTargets: null },
});
const policyOf = (rule: string) =>
  compilePolicy(
    requirePolicy(
      `version: 1\nrules:\n  - { name: ok, effect: allow, action: mail }\n  - { name: t, action: mail, ${rule} }\n`,
    ),
  );

describe("rules with transform", () => {
  test.each([
    [
      "effect: allow, transform: strip, where: { body: { instructed: 60 } }",
      /`transform` needs `effect: ask` or `deny`/,
    ],
    ["effect: ask, transform: strip", /`where` names none/],
    ["effect: ask, transform: strip, where: { payee: { instructed: 60 } }", /`where` names none/],
    ["effect: ask, transform: strip, where: [{ role: host, instructed: 60 }]", /`where` names none/],
    ["effect: ask, transform: strip, where: [{ arg: body, op: exists }, 7]", /`where` names none/],
    ["effect: ask, transform: hide, where: { body: { instructed: 60 } }", /strip/],
  ])("%s is refused", (rule, message) => {
    const parsed = parsePolicy(`version: 1\nrules:\n  - { name: t, action: mail, ${rule} }\n`);
    expect(
      parsed.ok ? "" : parsed.findings.map((found) => `${found.message} ${found.hint ?? ""}`).join(),
    ).toMatch(message);
  });

  test("name the texts to change with the least score, also as a rule that denies, and never a target", () => {
    const deny = policyOf("effect: deny, transform: quote, where: [{ role: any, labels: [web] }]");
    expect(
      decide(
        deny,
        request(origin("a"), origin("to", { role: "recipient" }), origin("b", { labels: ["mail"] })),
      ),
    ).toMatchObject({
      effect: "deny",
      transforms: [{ path: "a", handling: "quote", from: 60, rule: "t" }],
    });
    const ask = policyOf("effect: ask, transform: strip, where: { body: { instructed: 80 } }");
    const decision = decide(ask, request(origin("a")));
    expect(decision.transforms).toEqual([{ path: "a", handling: "strip", from: 80, rule: "t" }]);
    expect(describeObligations(decision.obligations)).toMatch(/untrusted passages left out first/);
    expect(describeObligations({ transform: "quote" })).toBe("untrusted passages quoted first");
  });

  test("hold no more for texts that were seen to, not at all when left out, and never without a trace", () => {
    const policy = policyOf("effect: ask, transform: strip, where: { body: { instructed: 60 } }");
    const two = request(origin("a"), origin("b"));
    expect(decide(policy, { ...two, transformed: ["a"] })).toMatchObject({
      effect: "ask",
      transforms: [{ path: "b" }],
    });
    expect(decide(policy, { ...two, transformed: ["a", "b"] })).toMatchObject({ effect: "allow" });
    expect(decide(policy, { ...two, transformed: "all" })).toMatchObject({ effect: "allow" });
    expect(decide(policy, two)).toHaveProperty("transforms");
    expect(decide(policy, { ...two, transformed: "all" })).not.toHaveProperty("transforms");
    const { flow: _, ...untraced } = two;
    expect(decide(policy, untraced).effect).toBe("allow");
  });
});

test("every rule of docs/data-flow.md is a good one", () => {
  const text = readFileSync(new URL("../../../../../docs/data-flow.md", import.meta.url), "utf8");
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""]) => block);
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  for (const block of blocks) {
    const parsed = parsePolicy(
      block.startsWith("untrusted:") ? `version: 1\n${block}rules: []\n` : `version: 1\nrules:\n${block}`,
    );
    expect(parsed.ok ? [] : parsed.findings).toEqual([]);
  }
});
