import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import { decideAll } from "./decide-all.ts";
import type { ActionRequest, Decision } from "./decision.ts";
import { requirePolicy } from "../file/policy-file.ts";
import { weighRisk } from "./risk.ts";

const allowed: Decision = {
  effect: "allow",
  risk: "low",
  obligations: {},
  matched: [],
  reason: "",
  revision: "r",
};
const request = { action: "a", args: {}, labels: [], agent: "a", role: "r", tenant: "t" };

describe("several resources of one action", () => {
  const scored = (value: number): Decision => ({ ...allowed, score: { value, factors: [] } });

  test("the strictest decision stands, with the highest risk and score of all", () => {
    const answers: Readonly<Record<string, Decision>> = {
      a: { ...scored(70), risk: "high" },
      b: { ...scored(10), effect: "deny" },
      c: { ...allowed, effect: "ask" },
    };
    const answer = ({ resource }: ActionRequest): Decision => answers[resource]!;
    for (const order of [
      ["a", "b", "c"],
      ["c", "b", "a"],
      ["b", "a", "c"],
    ]) {
      expect(decideAll(request, order, answer)).toMatchObject({
        effect: "deny",
        risk: "high",
        score: { value: 70 },
      });
    }
    expect(decideAll(request, ["c", "c"], answer).score).toBeUndefined();
  });

  const policy = (rules: string) => compilePolicy(requirePolicy(`version: 1\nrules:\n${rules}`));
  const decideBy = (text: string) => {
    const compiled = policy(text);
    return decideAll(request, ["x", "y"], (each) => decide(compiled, each));
  };
  const rule = (name: string, resource: string, approval: string): string =>
    `  - { name: ${name}, action: a, resource: ${resource}, effect: ask${approval} }\n`;

  test("whom one resource's rule names answers also where another rule names nobody", () => {
    const merged = decideBy(rule("some", "x", "") + rule("security", "y", ", approval: { by: [security] }"));
    expect(merged.obligations.approval).toMatchObject({ by: ["security"], quorum: 1 });
    expect(merged.matched.map(({ name }) => name)).toEqual(["some", "security"]);
  });

  test("rules that leave nobody to answer deny, as they do for one resource", () => {
    const approvers = rule("one", "x", ", approval: { by: [approver] }");
    const denied = decideBy(approvers + rule("two", "y", ", approval: { by: [security] }"));
    expect(denied).toMatchObject({ effect: "deny", obligations: {} });
    expect(denied.reason).toContain("`one` and `two` ask different roles");
  });
});

test("whom a rule of one resource names may answer what another resource's risk alone asks", () => {
  const approval = { by: ["security"], quorum: 1, expiresMs: 1_000 };
  const merged = decideAll(request, ["by risk", "by rule"], (each) =>
    each.resource === "by risk"
      ? weighRisk({ ...allowed, risk: "high" }, each, { ask: 1, deny: null })
      : { ...allowed, effect: "ask", obligations: { approval } },
  );
  expect(merged.effect).toBe("ask");
  expect(merged.obligations.approval?.by).toEqual(["security"]);
});
