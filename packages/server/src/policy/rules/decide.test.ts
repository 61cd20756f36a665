import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import { mergeDemands } from "./demands.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import { describeObligations } from "./explain.ts";
import { requirePolicy } from "../file/policy-file.ts";

function judge(rules: string, request: Partial<ActionRequest> = {}): Decision {
  const policy = compilePolicy(requirePolicy(`version: 1\n${rules.trim() === "" ? "rules: []" : rules}`));
  return decide(policy, {
    action: "file_ops.delete",
    resource: "workspace/stale/a.png",
    args: { sizeBytes: 10, name: "a", tags: ["x", 1], deep: { list: [{ path: "p" }] }, nothing: null },
    labels: ["user"],
    agent: "workflow:audit",
    role: "admin",
    tenant: "default",
    ...request,
  });
}

/** Rules in flow form, one a line: `allow file_ops.delete, resource: workspace/**`. */
function rules(...lines: readonly string[]): string {
  const items = lines.map((line, index) => {
    const [, effect, action, more = ""] = /^(\w+) ([^,]+)(.*)$/.exec(line) ?? [];
    return `  - { name: r${index}, effect: ${effect}, action: "${action}"${more} }`;
  });
  return `rules:\n${items.join("\n")}`;
}

describe("effects", () => {
  const table: readonly (readonly [title: string, lines: readonly string[], effect: string, names: readonly string[]])[] = [
    ["nothing is allowed by default", [], "deny", []],
    ["a rule about something else allows nothing", ["allow file_ops.read"], "deny", []],
    ["allow allows", ["allow file_ops.delete"], "allow", ["r0"]],
    ["ask beats allow", ["allow file_ops.delete", "ask file_ops.delete"], "ask", ["r1", "r0"]],
    ["deny beats both", ["allow *", "ask *", "deny *"], "deny", ["r2", "r1", "r0"]],
    ["order does not matter", ["deny *", "ask *", "allow *"], "deny", ["r0", "r1", "r2"]],
    ["a more exact allow does not beat a wide deny", ["deny *, resource: '**'", "allow file_ops.delete, resource: workspace/stale/a.png"], "deny", ["r0", "r1"]],
    ["a tool's name covers its actions", ["allow file_ops"], "allow", ["r0"]],
    ["tool.* is the same", ["allow file_ops.*"], "allow", ["r0"]],
    ["part of a tool's name does not", ["allow file"], "deny", []],
    ["any of several actions is enough", ["allow file_ops.read, scope: { role: admin }", "allow [x.y, file_ops.delete]".replace("[x.y, file_ops.delete]", "x.y")], "deny", []],
    ["an exact resource", ["allow *, resource: workspace/stale/a.png"], "allow", ["r0"]],
    ["a folder", ["allow *, resource: workspace/**"], "allow", ["r0"]],
    ["a folder and an ending", ["allow *, resource: 'workspace/**/*.png'"], "allow", ["r0"]],
    ["a folder and another ending", ["allow *, resource: 'workspace/**/*.jpg'"], "deny", []],
    ["a folder that only begins alike", ["allow *, resource: 'work/**'"], "deny", []],
    ["any folder of that name", ["deny *, resource: '**/stale/**'", "allow *"], "deny", ["r0", "r1"]],
    ["an ending", ["deny *, resource: '**/*.png'", "allow *"], "deny", ["r0", "r1"]],
    ["another ending", ["deny *, resource: '**/*.tar.gz'", "allow *"], "allow", ["r1"]],
    ["a pattern without anchor", ["deny *, resource: '**/?.*'", "allow *"], "deny", ["r0", "r1"]],
    ["one of several patterns, told once", ["deny *, resource: ['**/*.png', workspace/**, '**/stale/**']"], "deny", ["r0"]],
    ["braces", ["deny *, resource: '{workspace,other}/**'"], "deny", ["r0"]],
    ["an exception", ["deny *, except: 'workspace/stale/**'", "allow *"], "allow", ["r1"]],
    ["an exception for something else", ["deny *, except: ['other/**']", "allow *"], "deny", ["r0", "r1"]],
    ["the agent's scope", ["allow *, scope: { agent: 'workflow:*' }"], "allow", ["r0"]],
    ["another agent's scope", ["allow *, scope: { agent: 'workflow:b*' }"], "deny", []],
    ["one of several roles", ["allow *, scope: { role: [viewer, admin] }"], "allow", ["r0"]],
    ["another role", ["allow *, scope: { role: viewer }"], "deny", []],
    ["another tenant", ["allow *, scope: { tenant: other }"], "deny", []],
    ["all of a scope must fit", ["allow *, scope: { agent: 'workflow:*', role: admin, tenant: other }"], "deny", []],
    ["a narrow allow does not soften a wide ask", ["ask *", "allow *, scope: { role: admin }"], "ask", ["r0", "r1"]],
    ["a narrow deny tightens a wide allow", ["allow *", "deny *, scope: { role: admin }"], "deny", ["r1", "r0"]],
    ["a label that is there", ["deny *, labels_any: [web, user]", "allow *"], "deny", ["r0", "r1"]],
    ["a label that is not", ["deny *, labels_any: [web, file]", "allow *"], "allow", ["r1"]],
  ]; // prettier-ignore

  test.each(table)("%s", (_title, lines, effect, names) => {
    const decision = judge(lines.length === 0 ? "" : rules(...lines));
    expect(decision.effect).toBe(effect);
    expect(decision.matched.map((rule) => rule.name)).toEqual(names);
  });

  test("an action without a dot and one with several are covered by their beginnings", () => {
    const text = rules("allow a", "ask a.b", "deny a.b.c");
    expect(judge(text, { action: "a" }).effect).toBe("allow");
    expect(judge(text, { action: "a.b" }).effect).toBe("ask");
    expect(judge(text, { action: "a.b.c.d" }).matched.map((rule) => rule.name)).toEqual(["r2", "r1", "r0"]);
    expect(judge(text, { action: "ab" }).effect).toBe("deny");
  });

  test("odd resources are judged like any other", () => {
    const text = rules(
      "allow *, resource: 'workspace/**'",
      "deny *, resource: '**/secret/**'",
      "deny *, resource: '**/*.'",
    );
    expect(judge(text, { resource: "" }).effect).toBe("deny");
    expect(judge(text, { resource: "workspace" }).effect).toBe("allow");
    expect(judge(text, { resource: "workspace/" }).effect).toBe("allow");
    expect(judge(text, { resource: "workspace//x" }).effect).toBe("allow");
    expect(judge(text, { resource: "workspace/a/secret/b/secret/c" }).matched).toHaveLength(2);
    expect(judge(text, { resource: "workspace/a." }).effect).toBe("deny");
  });
});

describe("conditions", () => {
  const holds: readonly string[] = [
    "{ arg: sizeBytes, op: eq, value: 10 }",
    "{ arg: sizeBytes, op: ne, value: 11 }",
    "{ arg: sizeBytes, op: in, value: [9, 10] }",
    "{ arg: sizeBytes, op: not_in, value: [9, 11] }",
    "{ arg: sizeBytes, op: lt, value: 11 }",
    "{ arg: sizeBytes, op: lte, value: 10 }",
    "{ arg: sizeBytes, op: gt, value: 9 }",
    "{ arg: sizeBytes, op: gte, value: 10 }",
    "{ arg: name, op: matches, value: '?' }",
    "{ arg: name, op: starts_with, value: a }",
    "{ arg: name, op: contains, value: a }",
    "{ arg: tags, op: contains, value: 1 }",
    "{ arg: tags, op: eq, value: [x, 1] }",
    "{ arg: tags, op: ne, value: [x] }",
    "{ arg: 'deep.list[0].path', op: eq, value: p }",
    "{ arg: deep, op: eq, value: { list: [{ path: p }] } }",
    "{ arg: nothing, op: eq, value: null }",
    "{ arg: name, op: ne, value: null }",
    "{ arg: nothing, op: exists }",
    "{ arg: absent, op: exists, value: false }",
  ];
  const fails: readonly string[] = [
    "{ arg: sizeBytes, op: eq, value: 11 }",
    "{ arg: sizeBytes, op: ne, value: 10 }",
    "{ arg: sizeBytes, op: in, value: [9] }",
    "{ arg: sizeBytes, op: not_in, value: [10] }",
    "{ arg: sizeBytes, op: lt, value: 10 }",
    "{ arg: sizeBytes, op: lte, value: 9 }",
    "{ arg: sizeBytes, op: gt, value: 10 }",
    "{ arg: sizeBytes, op: gte, value: 11 }",
    "{ arg: name, op: matches, value: b* }",
    "{ arg: name, op: starts_with, value: b }",
    "{ arg: name, op: contains, value: b }",
    "{ arg: tags, op: contains, value: y }",
    "{ arg: deep, op: eq, value: {} }",
    "{ arg: absent, op: exists }",
    "{ arg: name, op: exists, value: false }",
  ];
  /** Absent or of another type: nobody can say whether they hold. */
  const untestable: readonly string[] = [
    "{ arg: absent, op: eq, value: 1 }",
    "{ arg: absent, op: ne, value: 1 }",
    "{ arg: 'deep.list[1].path', op: eq, value: p }",
    "{ arg: name.length, op: gt, value: 0 }",
    "{ arg: deep.constructor, op: ne, value: x }",
    "{ arg: sizeBytes, op: eq, value: '10' }",
    "{ arg: sizeBytes, op: ne, value: '10' }",
    "{ arg: sizeBytes, op: in, value: ['10'] }",
    "{ arg: sizeBytes, op: not_in, value: ['10'] }",
    "{ arg: name, op: gt, value: 1 }",
    "{ arg: sizeBytes, op: matches, value: '*' }",
    "{ arg: sizeBytes, op: starts_with, value: '1' }",
    "{ arg: sizeBytes, op: contains, value: '1' }",
    "{ arg: name, op: contains, value: 1 }",
    "{ arg: nothing, op: lt, value: 1 }",
  ];

  test.each(holds)("%s holds", (condition) => {
    expect(judge(rules(`allow *, where: [${condition}]`)).effect).toBe("allow");
    expect(judge(rules("allow *", `deny *, where: [${condition}]`)).effect).toBe("deny");
  });

  test.each(fails)("%s does not hold", (condition) => {
    expect(judge(rules(`allow *, where: [${condition}]`)).effect).toBe("deny");
    expect(judge(rules("allow *", `deny *, where: [${condition}]`)).effect).toBe("allow");
  });

  test.each(untestable)("%s cannot be tested: deny and ask count as matched, allow does not", (condition) => {
    expect(judge(rules(`allow *, where: [${condition}]`)).effect).toBe("deny");
    expect(judge(rules("allow *", `ask *, where: [${condition}]`)).effect).toBe("ask");
    const denied = judge(rules("allow *", `deny *, where: [${condition}]`));
    expect(denied.effect).toBe("deny");
    expect(denied.reason).toMatch(/is absent|cannot be compared by/);
  });

  test("all conditions of a rule must hold; one that fails settles it", () => {
    const both = "where: [{ arg: sizeBytes, op: gt, value: 5 }, { arg: name, op: eq, value: b }]";
    expect(judge(rules("allow *", `deny *, ${both}`)).effect).toBe("allow");
    const untestedFirst = "where: [{ arg: absent, op: eq, value: 5 }, { arg: name, op: eq, value: b }]";
    expect(judge(rules("allow *", `deny *, ${untestedFirst}`)).effect).toBe("allow");
  });

  test("arguments that are no JSON equal nothing", () => {
    const text = rules("allow *", "deny *, where: [{ arg: odd, op: eq, value: { a: 1 } }]");
    expect(judge(text, { args: { odd: { a: NaN } } }).effect).toBe("allow");
  });
});

describe("blocked targets", () => {
  const blocked =
    "blocked: ['**/.env', 'evil.example', '/etc/**']\nrules:\n  - { name: all, effect: allow, action: '*' }";

  test.each<[string, Partial<ActionRequest>, boolean]>([
    ["in the resource, by glob", { resource: "workspace/a/.env" }, true],
    ["in the resource, as a piece of text", { resource: "https://www.evil.example:443/x" }, true],
    ["in an argument", { args: { to: "x/.env" } }, true],
    ["deep in the arguments", { args: { list: [{ a: ["x", "/etc/passwd"] }] } }, true],
    ["as a piece of a long text", { args: { source: `${"x".repeat(9_000)}evil.example` } }, true],
    ["nowhere", { args: { source: "x", count: 3, none: null, content: "about .env files" } }, false],
    ["not by glob in a long text", { args: { source: `/etc/${"x".repeat(9_000)}` } }, false],
  ])("%s", (_title, request, isBlocked) => {
    expect(judge(blocked, request).effect).toBe(isBlocked ? "deny" : "allow");
  });

  test("the answer says where", () => {
    expect(judge(blocked, { args: { list: ["x/.env"] } }).matched[0]).toEqual({
      name: "blocked",
      effect: "deny",
      line: 2,
      why: "any action, args.list[0] holds the blocked target `**/.env`",
    });
  });

  test("arguments too deep to be searched are blocked", () => {
    let deep: unknown = "x";
    for (let level = 0; level < 40; level++) deep = [deep];
    expect(judge(blocked, { args: { deep } }).reason).toMatch(/nested too deeply/);
  });
});

describe("what is demanded", () => {
  test("several rules are merged to the strictest of each", () => {
    const decision = judge(
      rules(
        "allow *, sandbox: none, timeout: 60, rate: { count: 100, per: 1m }",
        "allow *, sandbox: full, timeout: 30s, redact: true, rate: { count: 1, per: 1s }",
        "ask *, sandbox: standard, rate: { count: 50, per: 1m }, approval: { by: [a, b], quorum: 2, expires: 1h }",
        "ask *, approval: { by: [b, c], expires: 2h }",
        "ask *, redact: false",
      ),
    );
    expect(decision.effect).toBe("ask");
    expect(decision.obligations).toEqual({
      approval: { by: ["b"], quorum: 2, expiresMs: 3_600_000 },
      sandbox: "full",
      timeoutMs: 30_000,
      redact: true,
      rate: { count: 50, perMs: 60_000 },
    });
    expect(describeObligations(decision.obligations)).toBe(
      "approval by 2 of b within 1h; sandbox at least full; at most 30s; output redacted; at most 50 per 1m",
    );
  });

  test("an ask without approval settings has the defaults; an allow has no approval", () => {
    const { obligations } = judge(rules("ask *"));
    expect(obligations).toEqual({
      approval: { by: ["admin", "approver"], quorum: 1, expiresMs: 86_400_000 },
    });
    expect(describeObligations(obligations)).toBe("approval by one of admin, approver within 1d");
    expect(judge(rules("allow *")).obligations).toEqual({});
    expect(judge(rules("allow *, timeout: 5s")).obligations).toEqual({ timeoutMs: 5_000 });
    expect(describeObligations({})).toBe("");
  });

  test("of several asking rules every one's care holds: four eyes, never remembered", () => {
    const careful = "ask *, approval: { four_eyes: true, remember: false }";
    for (const lines of [[careful, "ask *"], ["ask *", careful], [careful, careful]]) {
      const { obligations } = judge(rules(...lines));
      expect(obligations.approval).toMatchObject({ fourEyes: true, remember: false, quorum: 1 });
      expect(describeObligations(obligations)).toContain("not by who asked for the run");
    }
    expect(judge(rules("allow *, redact: true", "allow *, redact: true, sandbox: false")).obligations).toEqual({ redact: true });
  }); // prettier-ignore

  test("a demand that is turned off weakens nothing, and only a rule's own demands count", () => {
    const approval = { fourEyes: false, remember: true } as const;
    const careful = { fourEyes: true, remember: false } as const;
    expect(mergeDemands([{ redact: false }, { redact: true }], "allow")).toEqual({ redact: true });
    expect(mergeDemands([{ approval }, { approval: careful }], "ask").approval).toMatchObject(careful);
    expect(mergeDemands([{ approval }, { approval }], "ask").approval).toMatchObject(approval);
    for (const transforms of [
      ["quote", "strip"],
      ["strip", "quote"],
    ] as const) {
      expect(
        mergeDemands(
          transforms.map((transform) => ({ transform })),
          "allow",
        ),
      ).toEqual({ transform: "strip" });
    }
    expect(mergeDemands([Object.create({ redact: true }) as object], "allow")).toEqual({});
  });

  test("at the same pace the smaller count wins", () => {
    const slow = "allow *, rate: { count: 1, per: 1s }";
    const fast = "allow *, rate: { count: 60, per: 1m }";
    for (const lines of [
      [slow, fast],
      [fast, slow],
    ]) {
      expect(judge(rules(...lines)).obligations.rate).toEqual({ count: 1, perMs: 1_000 });
    }
  });

  test("rules that ask different roles deny, for nobody could satisfy both", () => {
    const decision = judge(rules("ask *, approval: { by: [a] }", "ask *, approval: { by: [b] }", "allow *"));
    expect(decision).toMatchObject({ effect: "deny", obligations: {} });
    expect(decision.reason).toBe(
      "Action blocked by policy: the rules `r0` and `r1` ask different roles, so nobody may answer",
    );
  });

  test("the risk is the highest of all that match", () => {
    expect(judge(rules("allow *")).risk).toBe("low");
    expect(judge(rules("allow *, risk: medium", "allow *")).risk).toBe("medium");
    expect(judge(rules("ask *", "allow *, risk: high")).risk).toBe("high");
    expect(judge("").risk).toBe("high");
  });
});

describe("reasons", () => {
  test("say which rule decided and which parts of it matched", () => {
    expect(judge(rules("allow *")).reason).toBe("Allowed: rule `r0` (line 3): any action");
    expect(judge(rules("allow *", "ask file_ops.delete, resource: workspace/**")).reason).toBe(
      "Needs approval: rule `r1` (line 4): action file_ops.delete, resource workspace/** (and 1 more)",
    );
    const full =
      "deny file_ops, resource: workspace/**, except: 'workspace/tmp/**', labels_any: [user], scope: { role: admin }, " +
      "where: [{ arg: sizeBytes, op: gt, value: 5 }, { arg: name, op: exists }, { arg: absent, op: exists, value: false }]";
    expect(judge(rules(full)).reason).toBe(
      "Action blocked by policy: rule `r0` (line 3): action file_ops, resource workspace/**, except workspace/tmp/**, " +
        "sizeBytes gt 5, name is there, absent is absent, values from user, role admin",
    );
    expect(judge("").reason).toBe(
      "Action blocked by policy: no rule allows file_ops.delete on workspace/stale/a.png",
    );
    expect(judge("", { resource: "x".repeat(300) }).reason).toMatch(/x\.\.\.$/);
  });

  test("carry the policy's revision", () => {
    expect(judge(rules("allow *")).revision).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
