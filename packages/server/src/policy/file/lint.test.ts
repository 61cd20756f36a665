import { expect, test } from "vitest";
import { lintPolicy } from "./lint.ts";
import { requirePolicy } from "./policy-file.ts";

const knownActions = ["file_ops.read", "file_ops.delete", "wait.for"];

function lint(...rules: readonly string[]): readonly string[] {
  const text = `version: 1\nrules:\n${rules.map((rule, index) => `  - { name: r${index}, ${rule} }`).join("\n")}\n`;
  return lintPolicy(requirePolicy(text), { knownActions, file: "policy.yaml" }).map(
    ({ line, message, hint }) => `${line}: ${message} (${hint})`,
  );
}

test("good rules have no findings", () => {
  expect(
    lint(
      "effect: allow, action: file_ops, resource: workspace/**",
      "effect: ask, action: file_ops.delete, resource: ['**/*.png', '**/stale/**', workspace/tmp]",
      "effect: deny, action: '*', labels_any: web",
      "effect: allow, action: wait.for, timeout: 5s",
      "effect: allow, action: wait, risk: medium",
    ),
  ).toEqual([]);
});

test("a rule for some scores says less than the same for all, and is no twin of it", () => {
  const all = "effect: ask, action: file_ops.read";
  const some = `${all}, risk_score: { from: 50 }`;
  expect(lint(all, some)).toEqual([expect.stringContaining("says the same of more")]);
  expect(lint(some, all)).toEqual([expect.stringMatching(/^3: .*says the same of more/)]);
});

test("an action that no tool has", () => {
  expect(lint("effect: deny, action: [file_ops.delet, wait]")).toEqual([
    "3: no tool has the action `file_ops.delet`, so the rule never matches (did you mean `file_ops.delete`?)",
  ]);
});

test("a pattern that the index cannot use", () => {
  expect(lint("effect: deny, action: file_ops, resource: ['**/*tok*/**', '**']")[0]).toMatch(
    /^3: the pattern `\*\*\/\*tok\*\/\*\*` has no literal folder/,
  );
});

test("an allow for everything", () => {
  expect(lint("effect: allow, action: '*'")[0]).toMatch(/allows every action, those of later versions too/);
  expect(lint("effect: allow, action: '*', resource: '**'")[0]).toMatch(/allows every action/);
  expect(lint("effect: allow, action: '*', resource: workspace/**")).toEqual([]);
});

test("a rule that a stricter one covers with the same pattern, or with any, has no effect", () => {
  for (const wide of ["'**'", "'out/*.png'"]) {
    const findings = lint(
      `effect: deny, action: file_ops, resource: ${wide}`,
      "effect: allow, action: file_ops.read, resource: 'out/*.png'",
    );
    expect(findings.filter((finding) => finding.startsWith("4: "))).toEqual([
      expect.stringContaining("`r0`"),
    ]);
  }
});

test("a rule that a stricter one covers has no effect", () => {
  expect(
    lint(
      "effect: deny, action: file_ops, resource: workspace/**",
      "effect: allow, action: [file_ops.read, file_ops.delete], resource: ['workspace/a/**', workspace]",
      "effect: allow, action: file_ops.read, resource: 'work/**'",
      "effect: allow, action: '*', resource: workspace/b",
    ),
  ).toEqual([
    "4: the rule has no effect: rule `r0` (line 3) covers all of it with deny (deny beats allow, whatever the order)",
  ]);
  expect(
    lint("effect: ask, action: '*'", "effect: allow, action: wait.for, where: [{ arg: a, op: exists }]"),
  ).toHaveLength(1);
  expect(
    lint("effect: deny, action: wait.for, scope: { role: viewer }", "effect: allow, action: wait.for"),
  ).toEqual([]);
});

test("of two rules that say the same, the narrower or the later is told", () => {
  expect(
    lint(
      "effect: deny, action: file_ops.read, resource: a/b",
      "effect: deny, action: file_ops, resource: a/**",
    ),
  ).toEqual(["3: rule `r1` (line 4) says the same of more (remove one of them)"]);
  expect(lint("effect: ask, action: wait.for", "effect: ask, action: wait.for")).toEqual([
    "4: rule `r0` (line 3) says the same of more (remove one of them)",
  ]);
  expect(
    lint("effect: ask, action: wait.for, risk: high", "effect: ask, action: wait.for, timeout: 5s"),
  ).toEqual([]);
});

test("a rule for some times, users or a section covers nothing for all", () => {
  const allow = "effect: allow, action: wait.for";
  expect(lint("effect: deny, action: wait.for, when: { days: mon }", allow)).toEqual([]);
  expect(lint("effect: deny, action: wait.for, scope: { user: user:x }", allow)).toEqual([]);
  const section = `sections:\n  - { scope: { tenant: a }, rules: [{ name: s, effect: deny, action: wait.for }] }\n`;
  const policy = requirePolicy(`version: 1\nrules:\n  - { name: r, ${allow} }\n${section}`);
  expect(lintPolicy(policy, { knownActions: ["wait.for"] })).toEqual([]);
});
