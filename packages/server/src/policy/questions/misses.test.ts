import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesGlob } from "../../base/glob.ts";
import { compilePolicy } from "../rules/compile.ts";
import { decide } from "../rules/decide.ts";
import type { ActionRequest } from "../rules/decision.ts";
import { findNearMisses, partsMissed } from "./misses.ts";
import { diffPolicies } from "./policy-diff.ts";
import { requirePolicy } from "../file/policy-file.ts";
import { makeProbes, sample } from "./probes.ts";
import { patterns, requests, ruleSets } from "../rules/random-rules.fixture.ts";

const request: ActionRequest = {
  action: "file_ops.write",
  resource: "workspace/a",
  args: { sizeBytes: 5 },
  labels: ["operator"],
  agent: "workflow:x",
  role: "viewer",
  tenant: "acme",
  user: "user:ada",
  atMs: Date.UTC(2026, 0, 7, 12),
};

describe("near misses", () => {
  test("say of each rule what stood in the way, the nearest first", () => {
    const policy = compilePolicy(
      requirePolicy(`
version: 1
rules:
  - { name: other, effect: allow, action: wait }
  - { name: big, effect: ask, action: file_ops, where: [{ arg: sizeBytes, op: gt, value: 10 }], scope: { role: admin } }
  - { name: nights, effect: deny, action: "*", when: { from: 22:00, to: 06:00 } }
  - { name: web, effect: deny, action: "*", labels_any: web, resource: out/**, except: out/a, scope: { user: "user:bob" } }
  - { name: typed, effect: allow, action: file_ops, where: [{ arg: sizeBytes, op: eq, value: x }, { arg: y, op: exists }] }
  - { name: hit, effect: deny, action: file_ops }
`),
    );
    expect(findNearMisses(policy, request, 9).map(({ name, missed }) => [name, ...missed])).toEqual([
      ["nights", "2026-01-07T12:00:00.000Z is not from 22:00 to 06:00 UTC"],
      ["other", "action file_ops.write is not wait"],
      ["big", "role viewer is not admin", "sizeBytes gt 10 does not hold"],
      ["typed", 'sizeBytes eq "x": sizeBytes is number and cannot be compared by eq', "y is there does not hold"],
      ["web", "resource workspace/a does not match out/**", "user user:ada is not user:bob", "no value comes from web, only from operator"],
    ]);
    expect(findNearMisses(policy, request)).toHaveLength(3);
  }); // prettier-ignore

  test("a flow that was traced and is another, and a time that fits, are told as such", () => {
    const text = `
version: 1
rules:
  - { name: flow, effect: deny, action: "*", first_use: true, requested: true, acts: false }
  - { name: days, effect: deny, action: wait, when: { from: 06:00, to: 22:00 } }
`;
    const flow = { arguments: [], history: [], isEffect: true, isRequested: null, newTargets: 0 };
    const [first, second] = findNearMisses(compilePolicy(requirePolicy(text)), { ...request, flow });
    expect(first?.missed).toEqual([expect.stringMatching(/which the task asks for.*an action that only looks.*: it is not so$/)]);
    expect(second?.missed).toEqual(["action file_ops.write is not wait"]);
    expect(findNearMisses(compilePolicy(requirePolicy(text)), request)[0]?.missed[0]).toMatch(/nobody traced where/);
  }); // prettier-ignore

  test("at a time nobody knows a rule that allows misses it, and one that denies does not", () => {
    const when = "when: { from: 22:00, to: 06:00 }";
    const text = `version: 1\nrules:\n  - { name: a, effect: allow, action: x, ${when} }\n  - { name: b, effect: deny, action: x, ${when} }\n`;
    const { atMs: _, ...timeless } = request;
    const misses = findNearMisses(compilePolicy(requirePolicy(text)), timeless, 9);
    expect(misses.map(({ name, missed }) => [name, missed.length])).toEqual([
      ["b", 1],
      ["a", 2],
    ]);
    expect(misses[1]?.missed).toContain("from 22:00 to 06:00 UTC: the time is unknown");
  });

  test("a rule misses nothing exactly when it matches", () => {
    fc.assert(
      fc.property(ruleSets, requests, (rules, each) => {
        const compiled = compilePolicy({ version: 1, rules, revision: "r" });
        const matched = new Set(decide(compiled, each).matched.map(({ name }) => name));
        for (const rule of rules) expect(partsMissed(rule, each).length === 0).toBe(matched.has(rule.name));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("probes", () => {
  test("a sample of a glob matches it", () => {
    fc.assert(fc.property(patterns, (glob) => matchesGlob(glob, sample(glob))));
  });

  test("reach rules with conditions of every kind", () => {
    const conditions = `
      - { arg: a, op: eq, value: 1 }
      - { arg: b, op: between, value: [1, 2] }
      - { arg: c.d, op: matches, value: "x/*" }
      - { arg: e, op: longer_than, value: 3 }
      - { arg: "f[0].g", op: ne, value: x }
      - { arg: "h[*]", op: under, value: /srv }
      - { arg: i, op: subset_of, value: [1, 2] }
      - { arg: j, op: after, value: "2026-01-01T00:00:00Z" }
      - { arg: k, op: exists }
      - { arg: l, op: not_in, value: [5] }
      - { arg: m, op: gt, value: 5 }`;
    const policy = requirePolicy(
      `version: 1\nrules:\n  - name: a\n    effect: allow\n    action: x\n    where:${conditions}\n`,
    );
    const compiled = compilePolicy(policy);
    expect(makeProbes(policy.rules).some((probe) => decide(compiled, probe).effect === "allow")).toBe(true);
  });

  test.each([
    "op: eq, value: x", "op: ne, value: 5", "op: ne, value: true", "op: ne, value: x", "op: in, value: [x, 5]", "op: not_in, value: [x]", "op: not_in, value: [5]",
    "op: lt, value: 5", "op: lte, value: 5", "op: gt, value: 5", "op: gte, value: 5", "op: between, value: [1, 5]", "op: matches, value: 'a*'",
    "op: not_matches, value: 'x*'", "op: starts_with, value: x", "op: ends_with, value: x", "op: contains, value: x", "op: not_contains, value: x",
    "op: contains_any, value: [x]", "op: subset_of, value: [x]", "op: longer_than, value: 5", "op: under, value: /srv", "op: not_under, value: /srv",
    "op: before, value: '2026-01-01T00:00:00Z'", "op: after, value: '2026-01-01T00:00:00Z'", "op: exists", "op: exists, value: false",
  ])("reach a rule where %s", (where) => {
    const policy = requirePolicy(`version: 1\nrules:\n  - { name: a, effect: allow, action: x, where: [{ arg: a, ${where} }] }\n`);
    const compiled = compilePolicy(policy);
    expect(makeProbes(policy.rules).some((probe) => decide(compiled, probe).effect === "allow")).toBe(true);
  }); // prettier-ignore
});

describe("the difference of two policies", () => {
  const before = requirePolicy(
    "version: 1\nrules:\n  - { name: a, effect: allow, action: x, resource: w/** }\n  - { name: b, effect: ask, action: y }\n",
  );
  const after = requirePolicy("version: 1\nrisk: { ask: 50 }\nrules:\n  - { name: a, effect: allow, action: x, resource: [w/**, v/**], timeout: 5 }\n  - { name: c, effect: deny, action: x.y }\n"); // prettier-ignore

  test("names rules, parts and settings, and shows by example what is decided otherwise", () => {
    const { examples, ...rest } = diffPolicies(before, after);
    expect(rest).toEqual({
      added: [{ name: "c", line: 5, effect: "deny" }],
      removed: [{ name: "b", line: 4, effect: "ask" }],
      changed: [
        {
          name: "a",
          line: 4,
          parts: [
            { part: "resource", before: "w/**", after: "w/**, v/**" },
            { part: "demands", before: "", after: '{"timeoutMs":5000}' },
          ],
        },
      ],
      settings: [{ part: "risk", before: "", after: '{"ask":50,"deny":null}' }],
    });
    expect(
      examples.map(({ from, to, request: { action, resource } }) => [from, to, action, resource]),
    ).toEqual([
      ["deny", "allow", "x.probe", "v/probe"],
      ["ask", "deny", "y.probe", "workspace/probe"],
      ["allow", "deny", "x.y", "w/probe"],
    ]);
  });

  test("tells sections and handling of untrusted text that came, went and changed", () => {
    const sections = (name: string, fallback: string): string => `sections:\n  - { name: ${name}, scope: { tenant: acme, user: "user:ada" }, default: ${fallback}, rules: [] }\n`;
    const of = (more: string): ReturnType<typeof requirePolicy> => requirePolicy(`version: 1\nrules: []\n${more}`);
    expect(diffPolicies(of(sections("one", "ask")), of(`${sections("two", "deny")}untrusted: { instructions: strip }\n`)).settings).toEqual([
      { part: "untrusted", before: "", after: expect.stringContaining("strip") as string },
      { part: "section one", before: "for acme, user:ada, default ask", after: "" },
      { part: "section two", before: "", after: "for acme, user:ada, default deny" },
    ].sort((a, b) => ["untrusted", "section one", "section two"].indexOf(a.part) - ["untrusted", "section one", "section two"].indexOf(b.part)));
  }); // prettier-ignore

  test("of a policy to itself is none", () => {
    expect(diffPolicies(before, before)).toEqual({
      added: [],
      removed: [],
      changed: [],
      settings: [],
      examples: [],
    });
  });

  test("sees what a rule for some times leaves to others, and what it changes at those", () => {
    const nights = (from: string): ReturnType<typeof requirePolicy> =>
      requirePolicy(`version: 1\nrules:\n  - { name: a, effect: allow, action: x }\n  - { name: n, effect: deny, action: x, when: { from: ${from}, to: 06:00 } }\n`);
    const asks = requirePolicy("version: 1\nrules:\n  - { name: a, effect: ask, action: x }\n  - { name: n, effect: deny, action: x, when: { from: 22:00, to: 06:00 } }\n");
    expect(diffPolicies(nights("22:00"), asks).examples).toMatchObject([{ from: "allow", to: "ask" }]);
    expect(diffPolicies(nights("22:00"), nights("20:00"))).toMatchObject({ changed: [{ name: "n", parts: [{ part: "when" }] }], examples: [{ from: "allow", to: "deny" }] });
  }); // prettier-ignore
});
