import { describe, expect, test } from "vitest";
import { roles } from "../../http/access.ts";
import { knownRoles } from "./lint-names.ts";
import { lintPolicy } from "./lint.ts";
import { requirePolicy } from "./policy-file.ts";

const knownActions = ["file_ops.read", "http.get", "code_exec.run"];

function lint(rules: readonly string[], rest = ""): readonly string[] {
  const listed = rules.map((rule, index) => `  - { name: r${index}, ${rule} }`).join("\n");
  const policy = requirePolicy(`version: 1\nrules:\n${listed}\n${rest}`);
  return lintPolicy(policy, { knownActions }).map(
    ({ line, path, message, hint }) => `${line} ${path}: ${message} (${hint})`,
  );
}

const deny = "effect: deny, action: file_ops.read";

test("the roles are those of the control plane", () => {
  expect(knownRoles.toSorted()).toEqual([...roles].sort());
});

describe("a rule for nobody", () => {
  test.each([
    ["scope: { role: operater }", "no role is called `operater` (did you mean `operator`?)"],
    ["scope: { role: boss }", "no role is called `boss` (roles are viewer, operator, approver, admin; people are named user:NAME)"],
    ["scope: { user: ada }", "no user is called `ada` (people are named `user:ada`)"],
    ["scope: { agent: brand-audit }", "no agent is called `brand-audit` (a workflow is named `workflow:brand-audit`)"],
  ])("%s", (scope, told) => {
    expect(lint([`${deny}, ${scope}`])).toEqual([`3 rule \`r0\`: ${told}`]);
  }); // prettier-ignore

  test("is told of a section too, once", () => {
    const inner = `${deny}, resource: `;
    const sections = `sections:\n  - { name: s, scope: { role: operater }, rules: [{ name: a, ${inner}a/b }, { name: b, ${inner}b/c }] }\n`;
    expect(lint(["effect: allow, action: file_ops.read"], sections)).toEqual([
      "5 section `s`: no role is called `operater` (did you mean `operator`?)",
    ]);
  });

  test("patterns that may stand for somebody are none", () => {
    const scopes = ["role: 'op*'", "role: none", "user: 'user:a*'", "user: '*'", "agent: '*-audit'", "agent: 'workflow:x'"];
    for (const scope of scopes) expect(lint([`${deny}, scope: { ${scope} }`])).toEqual([]);
  }); // prettier-ignore
});

test("a question for nobody", () => {
  const ask = (by: string) => lint([`effect: ask, action: file_ops.read, approval: { by: [${by}] }`]);
  expect(ask("approver, user:ada")).toEqual([]);
  expect(ask("aprover")).toEqual([
    "3 rule `r0`: no role is called `aprover`, so it can answer nothing (did you mean `approver`?)",
  ]);
});

describe("a pattern that no resource has", () => {
  test("begins with a slash, also among exceptions", () => {
    const told =
      "the pattern `/workspace/**` begins with /, which no resource does (files are named by their root, without a first /: for example workspace/out/**)";
    expect(lint([`${deny}, resource: /workspace/**`])).toEqual([`3 rule \`r0\`: ${told}`]);
    expect(lint([`${deny}, resource: '**', except: [/workspace/**]`])).toEqual([`3 rule \`r0\`: ${told}`]);
  });

  test.each([
    ["https://example.org/**", "https://example.org:443/**"],
    ["https://example.org", "https://example.org:443/**"],
    ["http://*.example.org/v1/*", "http://*.example.org:80/v1/*"],
    ["HTTPS://Example.org:443/A", "https://example.org:443/A"],
  ])("%s", (pattern, wanted) => {
    expect(lint([`effect: deny, action: http, resource: "${pattern}"`])).toEqual([
      `3 rule \`r0\`: the pattern \`${pattern}\` matches no address: addresses have small letters and a port (write \`${wanted}\`)`,
    ]);
  });

  test.each(["https://example.org:443/**", "https://example.org:*/x", "https://**", "http://10.*/x", "https://[a-z]/x"])(
    "%s may be one",
    (pattern) => {
      expect(lint([`effect: deny, action: http, resource: "${pattern}"`])).toEqual([]);
    },
  ); // prettier-ignore
});

test("a shell that may run no command", () => {
  const shell = "effect: allow, action: code_exec.run, resource: bash";
  const told = [expect.stringMatching(/^3 rule `r0`: the shell may start, and no rule lets it run a command/)];
  expect(lint([shell])).toEqual(told);
  expect(lint([shell, "effect: deny, action: code_exec, resource: bash/dd"])).toEqual(told);
  expect(lint([shell, "effect: allow, action: http, resource: '*/x'"])).toEqual(told);
  expect(lint([shell, "effect: ask, action: code_exec, resource: 'bash/{ls,sort}'"])).toEqual([]);
  expect(lint(["effect: allow, action: code_exec, resource: [bash, 'bash/**']"])).toEqual([]);
  expect(lint([shell, "effect: ask, action: code_exec.run, risk: high"])).not.toEqual(told);
}); // prettier-ignore
