import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { decide } from "./decide.ts";
import type { ActionRequest } from "./decision.ts";
import { parsePolicy, requirePolicy } from "../file/policy-file.ts";
import { parseInstant } from "./time-window.ts";

function effectAt(when: string, time: string | undefined, effect = "allow"): string {
  const text = `version: 1\nrules:\n  - { name: a, effect: ${effect}, action: wait, when: ${when} }\n  - { name: b, effect: ask, action: wait }\n`;
  const request: ActionRequest = {
    action: "wait.for",
    resource: "clock",
    args: {},
    labels: [],
    agent: "a",
    role: "r",
    tenant: "t",
    ...(time === undefined ? {} : { atMs: Date.parse(time) }),
  };
  const { matched } = decide(compilePolicy(requirePolicy(text)), request);
  return matched.some(({ name }) => name === "a") ? "in" : "out";
}

describe("a rule with `when`", () => {
  const office = "{ days: [mon-fri], from: 09:00, to: 17:00, zone: Europe/Berlin }";

  test.each([
    ["inside", office, "2026-01-07T08:00:00Z", "in"],
    ["before the first minute", office, "2026-01-07T07:59:59Z", "out"],
    ["at the end, which is excluded", office, "2026-01-07T16:00:00Z", "out"],
    ["in summer, an hour earlier", office, "2026-07-08T07:00:00Z", "in"],
    ["on a Saturday", office, "2026-01-10T10:00:00Z", "out"],
    ["on a day that is another there", "{ days: mon, zone: Pacific/Auckland }", "2026-01-04T12:00:00Z", "in"],
    ["without zone it is UTC", "{ from: 09:00, to: 10:00 }", "2026-01-04T09:30:00Z", "in"],
    ["over midnight, late", "{ days: fri, from: 22:00, to: 06:00 }", "2026-01-09T23:00:00Z", "in"],
    ["over midnight, early on the next day", "{ days: fri, from: 22:00, to: 06:00 }", "2026-01-10T05:59:00Z", "in"],
    ["over midnight, early on its own day", "{ days: fri, from: 22:00, to: 06:00 }", "2026-01-09T05:00:00Z", "out"],
    ["until midnight", "{ from: 22:00, to: 24:00 }", "2026-01-09T23:59:59Z", "in"],
    ["days over the week's end", "{ days: [sat-mon] }", "2026-01-12T00:00:00Z", "in"],
    ["days over the week's end, outside", "{ days: [sat-mon] }", "2026-01-13T00:00:00Z", "out"],
    ["before a date", "{ not_before: 2026-02-01T00:00:00Z }", "2026-01-31T23:59:59Z", "out"],
    ["until a date", "{ not_before: 2026-02-01T00:00:00Z, not_after: 2026-03-01T00:00:00+01:00 }", "2026-02-28T22:59:59Z", "in"],
    ["after a date", "{ not_after: 2026-03-01T00:00:00+01:00 }", "2026-02-28T23:00:00Z", "out"],
  ])("%s", (_, when, time, expected) => {
    expect(effectAt(when, time)).toBe(expected);
  }); // prettier-ignore

  test("a time nobody knows is no way round: allow does not match, deny does", () => {
    expect(effectAt(office, undefined)).toBe("out");
    expect(effectAt(office, undefined, "deny")).toBe("in");
  });

  test.each([
    ["nothing said", "{ zone: UTC }", /no time is given/],
    ["an unknown zone", "{ days: mon, zone: Europe/Berln }", /"Europe\/Berln" is no known time zone/],
    ["an unknown day", "{ days: [tues] }", /"tues" is no day/],
    ["a range of three", "{ days: [mon-tue-wed] }", /is no day/],
    ["one end only", "{ from: 09:00 }", /key `to` is missing/],
    ["an hour of one digit", "{ from: 9:00, to: 10:00 }", /expected a time such as 09:00/],
    ["the same time twice", "{ from: 09:00, to: 09:00 }", /the same time/],
    ["a date without time", "{ not_after: 2026-03-01 }", /no date with time and zone/],
    ["a day no calendar has", "{ not_after: 2026-02-30T00:00:00Z }", /no date with time and zone/],
    ["dates in the wrong order", "{ not_before: 2026-03-02T00:00:00Z, not_after: 2026-03-01T00:00:00Z }", /never speak/],
    ["days that are no text", "{ days: 5 }", /expected a text or a list of texts/],
    ["no day at all", "{ days: [] }", /the list is empty/],
    ["a time that is a list", "{ from: [09:00], to: 10:00 }", /expected a time such as 09:00, found a list/],
    ["an unknown key", "{ day: mon }", /unknown key `day`/],
  ])("%s is found", (_, when, message) => {
    const result = parsePolicy(`version: 1\nrules:\n  - { name: a, effect: deny, action: wait, when: ${when} }\n`);
    expect(result.ok ? "" : result.findings[0]?.message).toMatch(message);
    if (!result.ok) expect(result.findings[0]?.line).toBe(3);
  }); // prettier-ignore
});

test("times are read with their zone, or not at all", () => {
  expect(parseInstant("2026-01-01T00:00Z")).toBe(Date.UTC(2026, 0, 1));
  for (const text of [
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01T25:00:00Z",
    "2026-13-01T00:00:00Z",
    "now",
  ])
    expect(parseInstant(text)).toBeUndefined();
});
