import { describe, expect, test } from "vitest";
import type { ActionFlow, ArgumentOrigin, PastAct } from "./argument-origin.ts";
import { describeOrigin } from "./argument-origin.ts";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import { parsePolicy, requirePolicy } from "../file/policy-file.ts";

const payee: ArgumentOrigin = {
  path: "iban",
  role: "payee",
  from: "untrusted-only",
  how: "exact",
  labels: ["web"],
  sources: ["step fetch, output.text"],
  instructed: 80,
  isDelegated: false,
};
const past: PastAct = {
  action: "web.get",
  resource: "https://a.example:443/",
  labels: ["web"],
  outcome: "completed",
  instructed: 0,
  atMs: 1,
};
const flow: ActionFlow = {
  arguments: [payee],
  history: [past],
  isEffect: true,
  isRequested: true,
  newTargets: 0,
};

/** What one rule, `effect: ask` with `rule` added, does to an action that is allowed otherwise. */
function judge(rule: string, changed: Partial<ActionFlow> | null = {}) {
  const text = `version: 1\nrules:\n  - { name: all, effect: allow, action: "*" }\n  - { name: flow, effect: ask, action: bank.pay, ${rule} }\n`;
  const request = {
    action: "bank.pay",
    resource: "bank",
    args: {},
    labels: [],
    agent: "a",
    role: "r",
    tenant: "t",
  };
  return decide(
    compilePolicy(requirePolicy(text)),
    changed === null ? request : { ...request, flow: { ...flow, ...changed } },
  );
}

describe("conditions on data flow", () => {
  const repeated = [
    past,
    past,
    { ...past, action: "mail.read", labels: ["mail" as const], outcome: "denied" as const, instructed: 70 },
  ];
  const table: readonly (readonly [title: string, rule: string, changed: Partial<ActionFlow> | null, effect: string])[] = [
    ["an origin that fits", "where: { payee: { from: untrusted-only } }", {}, "ask"],
    ["another origin", "where: { payee: { from: [trusted, invented] } }", {}, "allow"],
    ["another role", "where: { recipient: { from: untrusted-only } }", {}, "allow"],
    ["the group of targets", "where: { target: { from: untrusted-only } }", {}, "ask"],
    ["an identifier is a target", "where: { target: { from: untrusted-only } }", { arguments: [{ ...payee, role: "identifier" }] }, "ask"],
    ["an identifier is not outward", "where: { outward: { from: untrusted-only } }", { arguments: [{ ...payee, role: "identifier" }] }, "allow"],
    ["a body is no target", "where: { target: { from: untrusted-only } }", { arguments: [{ ...payee, role: "body" }] }, "allow"],
    ["any argument", "where: { any: { labels: [mail, web] } }", {}, "ask"],
    ["a label that is not there", "where: { any: { labels: mail } }", {}, "allow"],
    ["a passage that instructs enough", "where: { any: { instructed: 80 } }", {}, "ask"],
    ["a passage that instructs too little", "where: { any: { instructed: 81 } }", {}, "allow"],
    ["a source the task names", "where: { payee: { delegated: true } }", {}, "allow"],
    ["one argument must have all of it", "where: { any: { from: untrusted-only, instructed: 50 } }", { arguments: [{ ...payee, instructed: 0 }, { ...payee, from: "mixed" }] }, "allow"],
    ["several roles must all be there", "where: { payee: { from: untrusted-only }, host: { from: untrusted-only } }", {}, "allow"],
    ["a list mixes roles and values", "where: [{ role: payee, from: untrusted-only }, { arg: amount, op: exists, value: false }]", {}, "ask"],
    ["a list whose other condition fails", "where: [{ role: payee, from: untrusted-only }, { arg: amount, op: exists }]", {}, "allow"],
    ["what the task does not ask for", "requested: false", { isRequested: false }, "ask"],
    ["what the task asks for", "requested: false", { isRequested: true }, "allow"],
    ["what nobody can tell", "requested: false", { isRequested: null }, "allow"],
    ["looking is never unasked", "requested: false", { isRequested: false, isEffect: false }, "allow"],
    ["an action that acts", "acts: true", {}, "ask"],
    ["an action that looks", "acts: true", { isEffect: false }, "allow"],
    ["a first use", "first_use: true", { newTargets: 1 }, "ask"],
    ["a known target", "first_use: true", { newTargets: 0 }, "allow"],
    ["nobody remembers", "first_use: true", { newTargets: null }, "allow"],
    ["after a read from the web", "after: { label: web }", {}, "ask"],
    ["after a read from elsewhere", "after: { label: file }", {}, "allow"],
    ["after an action by its tool's name", "after: { action: web }", {}, "ask"],
    ["after another action", "after: { action: we }", {}, "allow"],
    ["after an action on a resource", "after: { resource: 'https://a.example:443/**' }", {}, "ask"],
    ["after an action on another resource", "after: { resource: 'https://b.example:443/**' }", {}, "allow"],
    ["often enough", "after: { label: web, count: 2 }", { history: repeated }, "ask"],
    ["not often enough", "after: { label: web, count: 3 }", { history: repeated }, "allow"],
    ["too long ago", "after: { label: web, within: 1 }", { history: repeated }, "allow"],
    ["lately", "after: { label: web, within: 2 }", { history: repeated }, "ask"],
    ["after a denial", "after: { outcome: denied }", { history: repeated }, "ask"],
    ["after an instruction", "after: { instructed: 70 }", { history: repeated }, "ask"],
    ["after several things at once", "after: [{ label: web }, { label: mail }]", { history: repeated }, "ask"],
    ["after one of two things", "after: [{ label: web }, { label: mcp }]", { history: repeated }, "allow"],
    ["a flow nobody traced", "where: { any: { from: untrusted-only } }", null, "allow"],
  ]; // prettier-ignore

  test.each(table)("%s", (_title, rule, changed, effect) => {
    expect(judge(rule, changed).effect).toBe(effect);
  });

  test("say which argument, from where, and after what", () => {
    const { reason, matched } = judge(
      "where: { payee: { from: untrusted-only } }, after: { label: web, within: 10 }",
    );
    expect(reason).toContain(
      "iban (payee) only from web: step fetch, output.text, in a passage that reads as an instruction (80 of 100)",
    );
    expect(matched[0]!.why).toContain("after web.get");
    expect(matched[0]!.why).toContain("payee from untrusted-only");
    expect(describeOrigin({ ...payee, from: "invented", labels: [], sources: [], instructed: 0 })).toBe(
      "iban (payee) from nowhere",
    );
    expect(describeOrigin({ ...payee, how: "derived", from: "mixed", instructed: 0, sources: [] })).toBe(
      "iban (payee) partly from web, computed",
    );
  });

  test("every key is told in the explanation of its rule", () => {
    const rule =
      "requested: false, acts: true, first_use: true, after: { action: web, outcome: completed, instructed: 1, count: 1 }, where: { any: { delegated: false, labels: web } }";
    const { matched } = judge(rule, {
      isRequested: false,
      newTargets: 1,
      history: [{ ...past, instructed: 5 }],
    });
    for (const words of [
      "which the task does not ask for",
      "changes something",
      "not used before",
      "after web, completed, a passage",
      "whose source the task does not name",
    ]) {
      expect(matched[0]!.why).toContain(words);
    }
  });
});

describe("mistakes in a rule", () => {
  const table: readonly (readonly [rule: string, message: RegExp])[] = [
    ["where: { payees: { from: trusted } }", /`payees` is no role of an argument/],
    ["where: { payee: {} }", /nothing is said about where the argument comes from/],
    ["where: {}", /the map is empty/],
    ["where: { payee: { from: untrusted } }", /"untrusted" is no origin/],
    ["where: { payee: { fron: trusted } }", /unknown key `fron`/],
    ["where: [{ role: payee }]", /nothing is said/],
    ["where: { payee: 5 }", /expected a map, found the number 5/],
    ["where: [{ role: payees, from: trusted }]", /found the text "payees"/],
    ["where: [{ role: payee, fron: trusted }]", /unknown key `fron`/],
    ["after: 5", /expected a map, found the number 5/],
    ["where: { payee: { instructed: 101 } }", /1 to 100|between 1 and 100|101/],
    ["after: { within: 3 }", /nothing is said about what came before/],
    ["after: { label: internet }", /"internet" is no label/],
    ["requested: maybe", /expected true or false/],
  ];
  test.each(table)("%s", (rule, message) => {
    const result = parsePolicy(`version: 1\nrules:\n  - { name: a, effect: ask, action: "*", ${rule} }\n`);
    expect(result.ok ? [] : result.findings.map((finding) => finding.message).join("; ")).toMatch(message);
  });

  const tops: readonly (readonly [top: string, message: RegExp])[] = [
    ["risk: {}", /no threshold is given/],
    ["risk: { ask: 90, deny: 60 }", /nothing would be asked/],
    ["risk: { ask: 0 }", /0/],
    ["untrusted: { instructions: hide }", /quote/],
    ["untrusted: { from: 50 }", /instructions/],
  ];
  test.each(tops)("%s", (top, message) => {
    const result = parsePolicy(`version: 1\n${top}\nrules: []\n`);
    expect(
      result.ok
        ? ""
        : result.findings.map((finding) => `${finding.message} ${finding.hint ?? ""}`).join("; "),
    ).toMatch(message);
  });
});
