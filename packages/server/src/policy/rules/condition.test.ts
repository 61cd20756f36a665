import { describe, expect, test } from "vitest";
import { testCondition } from "./condition.ts";
import type { Condition, Effect } from "./policy.ts";
import { requirePolicy } from "../file/policy-file.ts";

function read(where: string): Condition {
  return requirePolicy(`version: 1\nrules:\n  - { name: a, effect: deny, action: x, where: [${where}] }\n`).rules[0]!
    .conditions[0]!; // prettier-ignore
}

describe("operators", () => {
  test.each([
    ["{ arg: a, op: between, value: [1, 5] }", { a: 5 }, true],
    ["{ arg: a, op: between, value: [1, 5] }", { a: 5.5 }, false],
    ["{ arg: a, op: between, value: [1, 5] }", { a: "3" }, "a is string and cannot be compared by between"],
    ["{ arg: a, op: not_matches, value: 'x/*' }", { a: "y" }, true],
    ["{ arg: a, op: not_matches, value: 'x/*' }", { a: "x/1" }, false],
    ["{ arg: a, op: not_matches, value: 'x/*' }", { a: 1 }, "a is number and cannot be compared by not_matches"],
    ["{ arg: a, op: ends_with, value: .exe }", { a: "b.exe" }, true],
    ["{ arg: a, op: ends_with, value: .exe }", { a: "b.exe.txt" }, false],
    ["{ arg: a, op: not_contains, value: x }", { a: "abc" }, true],
    ["{ arg: a, op: not_contains, value: x }", { a: ["x"] }, false],
    ["{ arg: a, op: not_contains, value: x }", { a: 5 }, "a is number and cannot be compared by not_contains"],
    ["{ arg: a, op: contains_any, value: [x, 1] }", { a: ["y", 1] }, true],
    ["{ arg: a, op: contains_any, value: [x, 1] }", { a: ["y"] }, false],
    ["{ arg: a, op: subset_of, value: [x, y] }", { a: ["y", "x", "y"] }, true],
    ["{ arg: a, op: subset_of, value: [x, y] }", { a: ["z"] }, false],
    ["{ arg: a, op: subset_of, value: [x, y] }", { a: "x" }, "a is string and cannot be compared by subset_of"],
    ["{ arg: a, op: longer_than, value: 2 }", { a: "abc" }, true],
    ["{ arg: a, op: longer_than, value: 2 }", { a: [1, 2] }, false],
    ["{ arg: a, op: longer_than, value: 2 }", { a: 300 }, "a is number and cannot be compared by longer_than"],
    ["{ arg: a, op: under, value: /srv/data/ }", { a: "/srv/data/x" }, true],
    ["{ arg: a, op: under, value: /srv/data }", { a: "/srv/data" }, true],
    ["{ arg: a, op: under, value: /srv/data }", { a: "/srv/database" }, false],
    ["{ arg: a, op: under, value: /srv/data }", { a: "/srv//./data/x" }, true],
    ["{ arg: a, op: under, value: /srv/data }", { a: "/srv/data/../x" }, "a holds `..`"],
    ["{ arg: a, op: under, value: / }", { a: "/x" }, true],
    ["{ arg: a, op: not_under, value: /srv }", { a: "/etc" }, true],
    ["{ arg: a, op: not_under, value: /srv }", { a: "/etc/../srv" }, "a holds `..`"],
    ["{ arg: a, op: before, value: 2026-01-02T00:00:00Z }", { a: "2026-01-02T00:30:00+01:00" }, true],
    ["{ arg: a, op: after, value: 2026-01-02T00:00:00Z }", { a: "2026-01-02T00:30:00+01:00" }, false],
    ["{ arg: a, op: after, value: 2026-01-02T00:00:00Z }", { a: "tomorrow" }, "a is no date with time and zone"],
  ])("%s of %j", (where, args, expected) => {
    expect(testCondition(read(where), args)).toBe(expected);
  }); // prettier-ignore
});

describe("every item of a list", () => {
  const inside = "{ arg: 'to[*].host', op: eq, value: in }";
  const to = (...hosts: readonly unknown[]): object => ({ to: hosts.map((host) => ({ host })) });

  test.each<[string, object, Effect, boolean | string]>([
    ["all hold", to("in", "in"), "allow", true],
    ["one does not", to("in", "out"), "allow", false],
    ["one does not", to("in", "out"), "deny", true],
    ["none does", to("out"), "ask", false],
    ["one is of another type", to("in", 5), "allow", "to[*].host is number and cannot be compared by eq"],
    ["one is of another type", to("out", 5), "deny", "to[*].host is number and cannot be compared by eq"],
    ["one is of another type and one holds", to("in", 5), "deny", true],
    ["one lacks it", { to: [{}] }, "allow", "to[*].host is absent"],
    ["there are none", to(), "allow", true],
    ["there are none", to(), "deny", false],
    ["it is no list", { to: "in" }, "deny", "to[*].host: there is no list"],
    ["there are too many", to(...Array.from({ length: 10_001 }, () => "in")), "allow", "to[*].host: there are more than 10000 items"],
  ])("%s (%j): %s", (_, args, effect, expected) => {
    expect(testCondition(read(inside), args as never, effect)).toBe(expected);
  }); // prettier-ignore

  test("lists in lists", () => {
    const nested = read("{ arg: 'a[*].b[*]', op: gt, value: 5 }");
    expect(testCondition(nested, { a: [{ b: [1] }, { b: [6] }] }, "deny")).toBe(true);
    expect(testCondition(nested, { a: [{ b: [1] }, { b: [6] }] }, "allow")).toBe(false);
  });
});
