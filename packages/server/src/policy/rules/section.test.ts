import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import type { Policy, PolicyRule, Section } from "./policy.ts";
import { parsePolicyFiles, requireGood } from "../file/policy-file.ts";
import { glob, requests, ruleBody, ruleSets, strictness } from "./random-rules.fixture.ts";

const organisation = `
version: 1
rules:
  - { name: files, effect: allow, action: file_ops, resource: workspace/** }
  - { name: calls, effect: ask, action: http }
`;

function judge(section: string, request: Partial<ActionRequest> = {}, main = organisation): Decision {
  const policy = requireGood(
    parsePolicyFiles([
      { name: "policy.yaml", text: main },
      { name: "policy.d/acme.yaml", text: `version: 1\n${section}` },
    ]),
  );
  return decide(compilePolicy(policy), {
    action: "file_ops.write",
    resource: "workspace/a",
    args: {},
    labels: [],
    agent: "workflow:x",
    role: "operator",
    tenant: "acme",
    user: "user:ada",
    ...request,
  });
}

function findings(...texts: readonly string[]): readonly string[] {
  const files = texts.map((text, index) => ({
    name: index === 0 ? "policy.yaml" : `policy.d/${index}.yaml`,
    text,
  }));
  const result = parsePolicyFiles(files);
  return result.ok ? [] : result.findings.map((each) => `${each.file}:${each.line} ${each.message}`);
}

describe("a file of policy.d with a scope", () => {
  const deny =
    "scope: { tenant: acme }\nrules:\n  - { name: no-writes, effect: deny, action: file_ops.write }\n";

  test("tightens for those it is for, and is named with its file and line", () => {
    expect(judge(deny)).toMatchObject({
      effect: "deny",
      matched: [
        { name: "no-writes", line: 4, file: "policy.d/acme.yaml" },
        { name: "files", line: 4 },
      ],
    });
    expect(judge(deny).reason).toContain("(line 4 of policy.d/acme.yaml)");
    expect(judge(deny, { tenant: "other" }).effect).toBe("allow");
  });

  test("never allows what the organisation does not, and says why", () => {
    const allow = "scope: { tenant: acme }\nrules:\n  - { name: all, effect: allow, action: '*' }\n";
    const decision = judge(allow, { action: "code_exec.run" });
    expect(decision).toMatchObject({ effect: "deny", matched: [{ name: "all" }] });
    expect(decision.reason).toMatch(
      /no rule allows code_exec.run on workspace\/a for the whole organisation/,
    );
    expect(judge(allow, { action: "http.get" }).effect).toBe("ask");
    expect(judge(allow.replace("allow", "ask"), { action: "code_exec.run" }).effect).toBe("deny");
  });

  test("its default decides where none of its rules speaks", () => {
    const own = "scope: { tenant: acme }\ndefault: deny\nrules:\n  - { name: reads, effect: allow, action: file_ops.read }\n";
    expect(judge(own, { action: "file_ops.read" }).effect).toBe("allow");
    expect(judge(own)).toMatchObject({ effect: "deny", matched: [{ name: "policy.d/acme.yaml (default)" }, { name: "files" }] });
    expect(judge(own, { tenant: "other" }).effect).toBe("allow");
    expect(judge(own.replace("default: deny", "default: ask"))).toMatchObject({ effect: "ask", obligations: { approval: { quorum: 1 } } });
    expect(judge("scope: { tenant: acme }\ndefault: deny\n").effect).toBe("deny");
  }); // prettier-ignore

  test("its demands are added, also by a rule that allows", () => {
    const slow = "scope: { agent: 'workflow:*' }\nrules:\n  - { name: slow, effect: allow, action: file_ops, timeout: 5, sandbox: full }\n";
    expect(judge(slow).obligations).toEqual({ timeoutMs: 5_000, sandbox: "full" });
  }); // prettier-ignore

  test("cannot put its own people or a longer time in place of what the organisation left out", () => {
    const asks = "scope: { tenant: acme }\nrules:\n  - { name: own, effect: ask, action: http, approval: { by: [user:ada], expires: 30d } }\n";
    expect(judge(asks, { action: "http.get" })).toMatchObject({ effect: "deny", reason: expect.stringContaining("nobody may answer") });
    const longer = asks.replace("by: [user:ada]", "by: [admin]");
    expect(judge(longer, { action: "http.get" }).obligations.approval).toMatchObject({ by: ["admin"], expiresMs: 86_400_000 });
    // Where the organisation allows, whom to ask is the section's own affair.
    expect(judge(asks.replace("action: http", "action: file_ops")).obligations.approval).toMatchObject({ by: ["user:ada"] });
  }); // prettier-ignore

  test("a user nobody knows is no way round", () => {
    const nobody = { user: undefined } as unknown as Partial<ActionRequest>;
    const forAda = "scope: { user: 'user:ada' }\nrules:\n  - { name: own, effect: deny, action: file_ops }\n";
    expect(judge(forAda).effect).toBe("deny");
    expect(judge(forAda, { user: "user:bob" }).effect).toBe("allow");
    expect(judge(forAda, nobody).effect).toBe("deny");
    const allows = "rules:\n  - { name: own, effect: allow, action: wait, scope: { user: 'user:ada' } }\n";
    expect(judge(allows, { action: "wait.for" }).effect).toBe("allow");
    expect(judge(allows, { action: "wait.for", ...nobody }).effect).toBe("deny");
  });

  test("sections within a file keep to both scopes", () => {
    const two = `scope: { tenant: acme }
sections:
  - name: night crew
    scope: { role: operator }
    rules:
      - { name: no-files, effect: deny, action: file_ops }
`;
    expect(judge(two)).toMatchObject({ effect: "deny", matched: [{ name: "no-files", line: 7 }, {}] });
    expect(judge(two).matched[0]?.why).toContain("section night crew");
    expect(judge(two, { tenant: "other" }).effect).toBe("allow");
    expect(judge(two, { role: "viewer" }).effect).toBe("allow");
  });

  test("a file without scope is the organisation's; thresholds are merged to the strictest", () => {
    const more =
      "risk: { ask: 30, deny: 90 }\nrules:\n  - { name: code, effect: allow, action: code_exec }\n";
    expect(judge(more, { action: "code_exec.run" }).effect).toBe("allow");
    const policy = requireGood(
      parsePolicyFiles([
        { name: "policy.yaml", text: `${organisation}risk: { ask: 40 }\nuntrusted: { instructions: quote, from: 40 }\n` },
        { name: "policy.d/a.yaml", text: `version: 1\n${more}untrusted: { instructions: strip, from: 70 }\n` },
      ]),
    ); // prettier-ignore
    expect(policy).toMatchObject({
      thresholds: { ask: 30, deny: 90 },
      untrusted: { instructions: "strip", from: 40 },
    });
  });
});

describe("mistakes in sections", () => {
  const scoped = "version: 1\nscope: { tenant: a }\nrules: []\n";

  test.each([
    ["a scope in policy.yaml", [scoped], /policy.yaml:2 policy.yaml speaks for the whole organisation/],
    ["a default without scope", ["version: 1\ndefault: deny\nrules: []\n"], /policy.yaml:2 `default` is for sections/],
    ["thresholds in a section", [organisation, `${scoped}risk: { ask: 5 }\n`], /policy.d\/1.yaml:4 `risk` is for the whole organisation/],
    ["a section for nobody", [`${organisation}sections:\n  - { rules: [] }\n`], /policy.yaml:7 the key `scope` is missing/],
    ["sections that are no list", [`${organisation}sections: { a: b }\n`], /expected a list of sections, found a map/],
    ["an unknown default", [organisation, scoped.replace("rules", "default: allow\nrules")], /expected deny, ask; found the text "allow"/],
    ["a name used in another file", [organisation, "version: 1\nrules:\n  - { name: files, effect: deny, action: a }\n"], /policy.d\/1.yaml:3 the name "files" is used before, in line 4$/],
  ])("%s is found", (_, texts, message) => {
    expect(findings(...texts)[0]).toMatch(message);
  }); // prettier-ignore
});

test("the order of sections and of their rules never matters", () => {
  const levels = fc.constantFrom<Section["default"]>(null, "deny", "ask");
  const scope = fc.constantFrom([], [glob("admin")]).map((role) => ({ agent: [], role, tenant: [] }));
  const section = fc.tuple(levels, scope, fc.array(ruleBody, { maxLength: 2 }));
  fc.assert(
    fc.property(ruleSets, fc.array(section, { maxLength: 4 }), requests, (wide, parts, request) => {
      const made = parts.map(([level, inner, bodies], index) => {
        const own: Section = { name: `s${index}`, level: "tenant", scopes: [inner], default: level, line: 50 + index };
        const rules = bodies.map((body, at): PolicyRule => ({ ...body, name: `n${index}-${at}`, description: null, line: 60 + index, section: own }));
        return { own, rules };
      });
      const of = (all: typeof made): Policy => ({
        version: 1,
        rules: [...wide, ...all.flatMap(({ rules }) => rules)],
        revision: "sha256:test",
        sections: all.map(({ own }) => own),
      });
      const forwards = of(made);
      const backwards = of(made.toReversed());
      const judged = (policy: Policy): Decision => decide(compilePolicy(policy), request);
      expect(judged({ ...backwards, rules: backwards.rules.toReversed() })).toEqual(judged(forwards));
    }),
    { numRuns: 2_000 },
  );
}); // prettier-ignore

test("whatever a section says, nothing becomes softer by it", () => {
  const levels = fc.constantFrom<Section["default"]>(null, "deny", "ask");
  const scope = fc.constantFrom([], [glob("admin")]).map((role) => ({ agent: [], role, tenant: [] }));
  fc.assert(
    fc.property(ruleSets, fc.array(ruleBody, { maxLength: 3 }), fc.tuple(levels, scope), requests, (wide, bodies, [level, inner], request) => {
      const section: Section = { name: "s", level: "tenant", scopes: [inner], default: level, line: 50 };
      const narrow = bodies.map((body, index): PolicyRule => ({ ...body, name: `n${index}`, description: null, line: 60 + index, section }));
      const policy: Policy = { version: 1, rules: wide, revision: "sha256:test" };
      const before = decide(compilePolicy(policy), request);
      const after = decide(compilePolicy({ ...policy, rules: [...narrow, ...wide], sections: [section] }), request);
      expect(strictness[after.effect]).toBeGreaterThanOrEqual(strictness[before.effect]);
      if (after.effect === "deny") return;
      const [was, is] = [before.obligations, after.obligations];
      expect(is.timeoutMs ?? Infinity).toBeLessThanOrEqual(was.timeoutMs ?? Infinity);
      expect(is.redact === true || was.redact !== true).toBe(true);
      expect(is.sandbox === undefined ? was.sandbox : undefined).toBeUndefined();
      if (was.approval === undefined) return;
      expect(was.approval.by).toEqual(expect.arrayContaining([...is.approval!.by]));
      expect(is.approval!.quorum).toBeGreaterThanOrEqual(was.approval.quorum);
      expect(is.approval!.expiresMs).toBeLessThanOrEqual(was.approval.expiresMs);
    }),
    { numRuns: 3_000 },
  ); // prettier-ignore
});
