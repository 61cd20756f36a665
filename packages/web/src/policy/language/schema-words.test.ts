import { describe, expect, test } from "vitest";
import policySchema from "../../../../../docs/reference/policy.schema.json" with { type: "json" };
import { completionsAt, helpFor, type Language, type Schema } from "./schema-words.ts";
import { placeAt } from "./yaml-place.ts";

const schema = policySchema as Schema;
const language: Language = {
  schema,
  tools: [
    { name: "file_ops.read", description: "Reads a file.", args: ["path"] },
    { name: "file_ops.delete", description: "Deletes files.", args: ["path", "recursive"] },
    { name: "http.request", description: "Calls an address.", args: ["url"] },
  ],
  roles: ["viewer", "approver", "admin"],
};

/** What is offered at the `|`. */
function offered(marked: string): readonly string[] {
  const place = placeAt(marked.replace("|", ""), marked.indexOf("|"));
  return place === undefined ? [] : completionsAt(language, place).map(({ insert }) => insert);
}

describe("what is offered", () => {
  test("keys of a rule that it does not have yet", () => {
    expect(offered("rules:\n  - name: a\n    ri|")).toEqual([
      ...["risk_level: ", "risk: ", "risk_score: ", "description: "],
    ]);
    expect(offered("rules:\n  - name: a\n    risk: low\n    ri|")).not.toContain("risk: ");
  });

  test("keys of maps inside, in lines and in brackets", () => {
    expect(offered("rules:\n  - name: a\n    approval: { q|")).toEqual(["quorum: "]);
    expect(offered("rules:\n  - name: a\n    when:\n      not|")).toEqual(["not_before: ", "not_after: "]);
    expect(offered("sections:\n  - name: a\n    rules:\n      - eff|")).toEqual(["effect: "]);
  });

  test("values: effects, actions of this server, operators, arguments, roles", () => {
    expect(offered("rules:\n  - effect: |")).toEqual(["deny", "ask", "allow"]);
    expect(offered("rules:\n  - action: file|")).toEqual(["file_ops.read", "file_ops.delete", "file_ops"]);
    expect(offered("rules:\n  - action: [http.request, fi|")).toContain("file_ops.delete");
    expect(offered("rules:\n  - where:\n      - { arg: path, op: un|")).toEqual(["under", "not_under"]);
    expect(offered("rules:\n  - where:\n      - { arg: r|")).toEqual(["recursive", "url"]);
    expect(offered("rules:\n  - approval: { by: [ad|")).toEqual(["admin"]);
    expect(offered("rules:\n  - labels_any: [w|")).toEqual(["web"]);
  });

  test("an entry of a list begins with its dash", () => {
    expect(offered("rules:\n  na|")).toEqual(["- name: "]);
    expect(offered("rules:\n  - action:\n      - del|")).toEqual(["file_ops.delete"]);
  });

  test("nothing where all is typed or nobody knows the place", () => {
    expect(offered("rules:\n  - effect: allow|")).toEqual([]);
    expect(offered("other:\n  a|")).toEqual([]);
    expect(offered("rules:\n  - constructor:\n      a|")).toEqual([]);
  });
});

test("help says what a key is for and what it may be", () => {
  expect(helpFor(language, ["rules", "[]", "effect"])).toBe(
    "What the rule says: deny beats ask beats allow. One of deny, ask, allow.",
  );
  expect(helpFor(language, ["rules", "[]", "approval", "expires"])).toContain("24h");
  expect(helpFor(language, ["rules", "[]", "nothing"])).toBeUndefined();
});
