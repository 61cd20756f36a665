import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHomeostatError } from "../../base/error.ts";
import { compilePolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import type { ActionRequest, Decision } from "../rules/decision.ts";
import { defaultPolicyPath } from "../force/active-policy.ts";
import { lintPolicy } from "./lint.ts";
import { parsePolicy, parsePolicyFiles, requireGood, requirePolicy } from "./policy-file.ts";
import type { PolicyText } from "./policy-file.ts";

function judge(text: string, request: Partial<ActionRequest>): Decision {
  return decide(compilePolicy(requirePolicy(text)), {
    action: "code_exec.run",
    resource: "python",
    args: {},
    labels: [],
    agent: "workflow:x",
    role: "operator",
    tenant: "default",
    ...request,
  });
}

describe("the short form", () => {
  const text = `
version: "1.0"
rules:
  - name: code
    action: code_exec
    requires_approval: true
    risk_level: high
    blacklist: ["rm -rf", "**/shadow"]
    sandbox: true
    timeout: 30
  - name: reading
    action: file_ops.read
    requires_approval: false
    risk_level: low
  - name: waiting
    action: wait
    timeout: 2.5
`;

  test("means what it says", () => {
    expect(judge(text, {})).toMatchObject({
      effect: "ask",
      risk: "high",
      obligations: {
        approval: { by: ["admin", "approver"], quorum: 1, expiresMs: 86_400_000 },
        sandbox: "standard",
        timeoutMs: 30_000,
      },
    });
    expect(judge(text, { action: "file_ops.read", resource: "workspace/a" })).toMatchObject({
      effect: "allow",
      risk: "low",
    });
    expect(judge(text, { action: "wait.for" })).toMatchObject({
      effect: "allow",
      obligations: { timeoutMs: 2_500 },
    });
    expect(judge(text, { action: "file_ops.write" }).effect).toBe("deny");
  });

  test("a blacklist denies in its own action alone", () => {
    const args = { source: "import os\nos.system('rm -rf /')" };
    expect(judge(text, { args })).toMatchObject({
      effect: "deny",
      matched: [{ name: "code (blacklist)", line: 8 }, { name: "code" }],
    });
    expect(judge(text, { args: { path: "/etc/shadow" } }).effect).toBe("deny");
    expect(judge(text, { action: "wait.for", args }).effect).toBe("allow");
  });

  test("a rule that allows without saying so is told as a warning", () => {
    const result = parsePolicy(text);
    expect(result.ok && result.warnings).toEqual([
      {
        severity: "warning",
        line: 15,
        column: 5,
        path: "rules[2]",
        message: "the rule allows its action without asking",
        hint: "write `effect: allow` to say so",
      },
    ]);
  });
});

/** A rule's lines begin at line 3; the keys name, effect and action are given unless `bare`. */
const mistakes: readonly {
  readonly title: string;
  readonly rule: string;
  readonly bare?: boolean;
  readonly at: readonly [line: number, column: number];
  readonly path: string;
  readonly message: RegExp;
  readonly hint?: RegExp;
}[] = [
  { title: "an unknown key", rule: "efect: deny", at: [6, 5], path: "rules[0].efect", message: /unknown key `efect`/, hint: /`effect`/ },
  { title: "an unknown effect", rule: "name: a\n    action: x\n    effect: permit", bare: true, at: [5, 13], path: "rules[0].effect", message: /allow, ask, deny; found the text "permit"/ },
  { title: "no effect", rule: "name: a\n    action: x\n    resource: y", bare: true, at: [3, 5], path: "rules[0]", message: /`effect` is missing/ },
  { title: "neither form", rule: "name: a\n    action: x", bare: true, at: [3, 5], path: "rules[0]", message: /`effect` is missing/ },
  { title: "both forms", rule: "requires_approval: true", at: [6, 5], path: "rules[0].requires_approval", message: /either `effect` or `requires_approval`/ },
  { title: "a word for a boolean", rule: "name: a\n    action: x\n    requires_approval: yes", bare: true, at: [5, 24], path: "rules[0].requires_approval", message: /true or false, found the text "yes"/ },
  { title: "risk twice", rule: "risk: low\n    risk_level: low", at: [7, 5], path: "rules[0].risk_level", message: /either `risk` or/ },
  { title: "an unknown risk", rule: "risk: hgh", at: [6, 11], path: "rules[0].risk", message: /low, medium, high/, hint: /`high`/ },
  { title: "no name", rule: "effect: deny\n    action: x", bare: true, at: [3, 5], path: "rules[0]", message: /`name` is missing/ },
  { title: "an empty name", rule: "name: ' '\n    effect: deny\n    action: x", bare: true, at: [3, 11], path: "rules[0].name", message: /one line of 1 to 100/ },
  { title: "a name twice", rule: "description: y\n  - { name: a, effect: deny, action: x }", at: [7, 13], path: "rules[1].name", message: /"a" is used before, in line 3/ },
  { title: "no action", rule: "name: a\n    effect: deny", bare: true, at: [3, 5], path: "rules[0]", message: /`action` is missing/ },
  { title: "an action pattern", rule: "name: a\n    effect: deny\n    action: '*.read'", bare: true, at: [5, 13], path: "rules[0].action", message: /"\*\.read" is no action/ },
  { title: "an empty list of actions", rule: "name: a\n    effect: deny\n    action: []", bare: true, at: [5, 13], path: "rules[0].action", message: /list is empty/ },
  { title: "a number as action", rule: "name: a\n    effect: deny\n    action: [1]", bare: true, at: [5, 14], path: "rules[0].action", message: /expected a text, found the number 1/ },
  { title: "a bad glob", rule: "resource: ['a/[b']", at: [6, 16], path: "rules[0].resource", message: /`\[` is not closed/ },
  { title: "a bad exception", rule: "except: '{a'", at: [6, 13], path: "rules[0].except", message: /`{` is not closed/ },
  { title: "a bad blacklist", rule: "blacklist: ['{a', '']", at: [6, 17], path: "rules[0].blacklist", message: /`{` is not closed/ },
  { title: "an empty target", rule: "blacklist: ['']", at: [6, 17], path: "rules[0].blacklist", message: /1 to 512 characters/ },
  { title: "an unknown label", rule: "labels_any: [wed]", at: [6, 18], path: "rules[0].labels_any", message: /"wed" is no label/, hint: /`web`/ },
  { title: "an unknown scope", rule: "scope: { group: x }", at: [6, 14], path: "rules[0].scope.group", message: /unknown key/ },
  { title: "an empty scope", rule: "scope: {}", at: [6, 12], path: "rules[0].scope", message: /names nobody/ },
  { title: "a map of conditions whose key is no role", rule: "where: { arg: a }", at: [6, 14], path: "rules[0].where.arg", message: /`arg` is no role of an argument/ },
  { title: "conditions that are no list", rule: "where: 5", at: [6, 12], path: "rules[0].where", message: /expected a list of conditions, found the number 5/ },
  { title: "an unknown operator", rule: "where: [{ arg: a, op: is, value: 1 }]", at: [6, 27], path: "rules[0].where[0].op", message: /found the text "is"/, hint: /`in`/ },
  { title: "a condition without argument", rule: "where: [{ op: eq, value: 1 }]", at: [6, 13], path: "rules[0].where[0]", message: /`arg` is missing/ },
  { title: "a condition without value", rule: "where: [{ arg: a, op: eq }]", at: [6, 13], path: "rules[0].where[0]", message: /`value` is missing/ },
  { title: "a path that is none", rule: "where: [{ arg: 'a[x]', op: eq, value: 1 }]", at: [6, 20], path: "rules[0].where[0].arg", message: /is no path/ },
  { title: "a text to compare in size", rule: "where: [{ arg: a, op: gt, value: '5' }]", at: [6, 38], path: "rules[0].where[0].value", message: /gt wants a number, found the text "5"/ },
  { title: "between without list", rule: "where: [{ arg: a, op: between, value: 5 }]", at: [6, 43], path: "rules[0].where[0].value", message: /between wants two numbers/ },
  { title: "in without list", rule: "where: [{ arg: a, op: in, value: 5 }]", at: [6, 38], path: "rules[0].where[0].value", message: /in wants a list/ },
  { title: "matches with a bad glob", rule: "where: [{ arg: a, op: matches, value: '[' }]", at: [6, 43], path: "rules[0].where[0].value", message: /not closed/ },
  { title: "starts_with a number", rule: "where: [{ arg: a, op: starts_with, value: 1 }]", at: [6, 47], path: "rules[0].where[0].value", message: /starts_with wants a text/ },
  { title: "contains a list", rule: "where: [{ arg: a, op: contains, value: [] }]", at: [6, 44], path: "rules[0].where[0].value", message: /contains wants/ },
  { title: "exists maybe", rule: "where: [{ arg: a, op: exists, value: maybe }]", at: [6, 42], path: "rules[0].where[0].value", message: /exists wants true or false/ },
  { title: "approval of what is denied", rule: "approval: { by: admin }", at: [6, 5], path: "rules[0].approval", message: /no meaning for what is denied/ },
  { title: "approval of what is allowed", rule: "name: a\n    effect: allow\n    action: x\n    approval: { by: admin }", bare: true, at: [6, 5], path: "rules[0].approval", message: /needs `effect: ask`/ },
  { title: "approval by nobody", rule: "name: a\n    effect: ask\n    action: x\n    approval: { by: [] }", bare: true, at: [6, 21], path: "rules[0].approval.by", message: /roles, or people/ },
  { title: "a quorum of none", rule: "name: a\n    effect: ask\n    action: x\n    approval: { quorum: 0 }", bare: true, at: [6, 25], path: "rules[0].approval.quorum", message: /from 1 to 100/ },
  { title: "an expiry without unit", rule: "name: a\n    effect: ask\n    action: x\n    approval: { expires: 5 }", bare: true, at: [6, 26], path: "rules[0].approval.expires", message: /expected a duration/ },
  { title: "an unknown sandbox", rule: "name: a\n    effect: ask\n    action: x\n    sandbox: strong", bare: true, at: [6, 14], path: "rules[0].sandbox", message: /none, standard, full/ },
  { title: "a sandbox that is a list", rule: "name: a\n    effect: ask\n    action: x\n    sandbox: [full]", bare: true, at: [6, 14], path: "rules[0].sandbox", message: /found a list/ },
  { title: "a section that is no map", rule: "name: a\n    effect: ask\n    action: x\nsections: [5]", bare: true, at: [6, 12], path: "sections[0]", message: /expected a map, found the number 5/ },
  { title: "a timeout of minus one", rule: "name: a\n    effect: ask\n    action: x\n    timeout: -1", bare: true, at: [6, 14], path: "rules[0].timeout", message: /seconds above 0/ },
  { title: "a rate without time", rule: "name: a\n    effect: ask\n    action: x\n    rate: { count: 1 }", bare: true, at: [6, 11], path: "rules[0].rate", message: /`per` is missing/ },
]; // prettier-ignore

describe("mistakes", () => {
  test.each(mistakes)("$title is found", ({ rule, bare, at, path, message, hint }) => {
    const body = bare === true ? rule : `name: a\n    effect: deny\n    action: x\n    ${rule}`;
    const result = parsePolicy(`version: 1\nrules:\n  - ${body}\n`);
    const [first] = result.ok ? [] : result.findings;
    expect(first).toMatchObject({ severity: "error", line: at[0], column: at[1], path });
    expect(first?.message).toMatch(message);
    if (hint !== undefined) expect(first?.hint).toMatch(hint);
  });

  test.each([
    ["", /empty/],
    ["- a", /expected a map, found a list/],
    ["rules: []", /`version` is missing/],
    ["version: 2\nrules: []", /reads version 1, found the number 2/],
    ["version: 1", /`rules` is missing/],
    ["version: 1\nrules: {}", /expected a list of rules, found a map/],
    ["version: 1\nrules: [1]", /expected a map, found the number 1/],
    ["version: 1\nblock: []\nrules: []", /unknown key `block`/],
    ["version: 1\nblocked: []\nrules: []", /list is empty/],
    ["version: 1\nrules: [", /not valid YAML/],
  ])("the file %j is refused", (text, message) => {
    const result = parsePolicy(text, { file: "policy.yaml" });
    const messages = result.ok ? [] : result.findings.map((finding) => `${finding.file} ${finding.message}`);
    expect(messages.join("\n")).toMatch(message);
  });

  test("requirePolicy throws POLICY_INVALID with the findings as details", () => {
    try {
      requirePolicy("version: 1\nrule: []", { file: "policy.yaml" });
      expect.unreachable();
    } catch (error) {
      if (!isHomeostatError(error, "POLICY_INVALID")) throw error;
      expect(error.message).toMatch(/^The policy is not valid: policy\.yaml:1:1: .* \(and 1 more\)$/);
      expect(error.details).toHaveLength(2);
    }
  });

  test("whatever the text, the answer is a policy or findings", () => {
    const shipped = readFileSync(defaultPolicyPath, "utf8").split("\n");
    const word = fc.constantFrom("*", "[", "{", "'", ":", "- ", "name: x", "&a", "deny", "\u0000", "  ");
    const mutated = fc
      .array(fc.tuple(fc.nat(shipped.length - 1), fc.nat(40), word), { maxLength: 5 })
      .map((edits) => {
        const copy = [...shipped];
        for (const [line, column, text] of edits)
          copy[line] = copy[line]!.slice(0, column) + text + copy[line]!.slice(column);
        return copy.join("\n");
      });
    fc.assert(
      fc.property(mutated, (text) => {
        const result = parsePolicy(text);
        if (result.ok) compilePolicy(result.policy);
        else expect(result.findings.some((finding) => finding.severity === "error")).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the revision", () => {
  test("follows the content, not the layout", () => {
    const one = requirePolicy("version: 1\nrules:\n  - name: a\n    effect: deny\n    action: x\n").revision;
    const two = requirePolicy("# note\nrules: [{ action: x, name: a, effect: deny }]\nversion: 1\n").revision;
    const three = requirePolicy("version: 1\nrules:\n  - name: a\n    effect: ask\n    action: x\n").revision;
    expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(two).toBe(one);
    expect(three).not.toBe(one);
  });
});

describe("several files", () => {
  const rule = (name: string): string =>
    `version: 1\nrules:\n  - { name: ${name}, effect: deny, action: x }\n`;
  const files = [
    { name: "policy.yaml", text: rule("main") },
    { name: "policy.d/a.yaml", text: rule("a") },
    { name: "policy.d/b.yaml", text: rule("b") },
  ] as const;

  test("have one revision in whatever order they are read, and another when a name changes", () => {
    const revision = (...given: readonly PolicyText[]): string =>
      requireGood(parsePolicyFiles(given)).revision;
    expect(revision(files[0], files[2], files[1])).toBe(revision(...files));
    expect(revision(files[0], files[1], { ...files[2], name: "policy.d/c.yaml" })).not.toBe(
      revision(...files),
    );
  });

  test("have their thresholds and handling of untrusted text merged to the strictest, whatever each leaves out", () => {
    const merged = (one: string, two: string) =>
      requireGood(
        parsePolicyFiles([
          { name: "policy.yaml", text: `${rule("main")}${one}\n` },
          { name: "policy.d/a.yaml", text: `${rule("a")}${two}\n` },
        ]),
      );
    expect(merged("risk: { ask: 40 }", "risk: { deny: 90 }").thresholds).toEqual({ ask: 40, deny: 90 });
    expect(merged("risk: { deny: 90 }", "risk: { ask: 40 }").thresholds).toEqual({ ask: 40, deny: 90 });
    expect(merged("risk: { ask: 40, deny: 70 }", "risk: { ask: 50, deny: 60 }").thresholds).toEqual({
      ask: 40,
      deny: 60,
    });
    const quotes = (from: number): string => `untrusted: { instructions: quote, from: ${from} }`;
    expect(merged(quotes(40), quotes(60)).untrusted).toEqual({ instructions: "quote", from: 40 });
    expect(merged(quotes(40), quotes(60).replace("quote", "strip")).untrusted).toEqual({
      instructions: "strip",
      from: 40,
    });
    expect(merged(quotes(40).replace("quote", "strip"), quotes(60)).untrusted).toEqual({
      instructions: "strip",
      from: 40,
    });
  });
});

describe("the shipped policy", () => {
  const text = readFileSync(defaultPolicyPath, "utf8");
  const knownActions = [
    "artifact.register", "code_exec.run", "file_ops.delete", "file_ops.list", "file_ops.move", "file_ops.read",
    "file_ops.write", "http.get", "http.request", "wait.for", "workflow.run",
  ]; // prettier-ignore

  test.each<[action: string, resource: string, effect: string, sandbox?: string]>([
    ["file_ops.read", "workspace/a.txt", "allow"],
    ["file_ops.read", "photos/a.png", "allow"],
    ["file_ops.list", "workspace/.", "allow"],
    ["file_ops.write", "workspace/out/report.md", "allow"],
    ["file_ops.write", "photos/a.png", "deny"],
    ["file_ops.move", "workspace/a", "allow"],
    ["file_ops.move", "photos/a", "deny"],
    ["file_ops.delete", "workspace/stale/a.png", "ask"],
    ["code_exec.run", "python", "allow", "standard"],
    ["code_exec.run", "bash", "allow", "standard"],
    ["code_exec.run", "typescript", "allow", "standard"],
    ["code_exec.run", "javascript", "allow", "none"],
    ["code_exec.run", "rust", "deny"],
    ["http.get", "https://example.org:443/", "ask"],
    ["http.request", "https://example.org:443/", "ask"],
    ["artifact.register", "workspace/report.md", "allow"],
    ["wait.for", "clock", "allow"],
    ["mail.send", "a@example.org", "deny"],
    ["file_ops.read", "workspace/.env", "deny"],
    ["file_ops.read", "workspace/app/.env.production", "deny"],
    ["file_ops.read", "home/.ssh/config", "deny"],
    ["file_ops.list", "home/.ssh", "deny"],
    ["file_ops.read", "home/keys/id_ed25519", "deny"],
    ["file_ops.read", "home/server.pem", "deny"],
    ["file_ops.delete", "home/.aws/credentials", "deny"],
    ["file_ops.read", "workspace/keyboard.txt", "allow"],
  ])("%s on %s: %s", (action, resource, effect, sandbox) => {
    const decision = judge(text, { action, resource });
    expect(decision.effect).toBe(effect);
    expect(decision.obligations.sandbox).toBe(sandbox);
  });

  test("blocked files are found among arguments too", () => {
    expect(
      judge(text, { action: "file_ops.move", resource: "workspace/a", args: { to: "workspace/.env" } })
        .effect,
    ).toBe("deny");
  });

  test("has no findings, and its commented rules load when the signs are removed", () => {
    const result = parsePolicy(text);
    expect(result.ok && result.warnings).toEqual([]);
    expect(lintPolicy(requirePolicy(text), { knownActions })).toEqual([]);
    const opened = text.replace(/^( +)# (?=(except:|- name: network-read|  ))/gm, "$1");
    const get = { action: "http.get", resource: "https://api.example.org:443/v1" };
    expect(judge(opened, get)).toMatchObject({
      effect: "allow",
      obligations: { rate: { count: 60, perMs: 60_000 } },
    });
    expect(judge(opened, { ...get, resource: "https://other.example:443/" }).effect).toBe("ask");
  });
});
