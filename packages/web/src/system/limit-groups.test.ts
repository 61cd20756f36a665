import { expect, test } from "vitest";
import type { Limits } from "../api/operations-calls.ts";
import { groupLimits, ruleText } from "./limit-groups.ts";

const limits: Limits = {
  configured: [
    { name: "mail", kind: "rate", of: "user", action: "message.*", count: 20, per: "3600000" },
    { name: "mail-all", kind: "quota", of: "all", action: "message.*", count: 1000, per: "day" },
  ],
  buckets: [
    { key: "mail/default/ada", left: 15.5, count: 20, perMs: 3_600_000, processes: 2 },
    { key: "policy:hosts/a", left: 0, count: 5, perMs: 1_000, processes: null },
  ],
  quotas: [{ key: "mail-all", used: 12, count: 1000, endsAt: "2026-11-22T00:00:00.000Z" }],
  bulkheads: [
    { key: "browsers/browser.open", inUse: 2, atOnce: 2, waiting: 1, line: 16, refused: 3, processes: 1 },
  ],
  refusals: [],
  breakers: [],
  processes: [],
};

test("levels stand under the rule they belong to, and a name that begins alike is another rule", () => {
  const groups = groupLimits(limits);
  expect(groups.map(({ name, levels }) => [name, levels.map(({ whose, used }) => [whose, used])])).toEqual([
    ["mail", [["default/ada", 5]]],
    ["mail-all", [["all", 12]]],
    [
      "Others",
      [
        ["policy:hosts/a", 5],
        ["browsers/browser.open", 2],
      ],
    ],
  ]);
  expect(groups[2]?.levels[1]?.note).toBe("1 of 16 in line, 3 turned away");
});

test("a rule is told in words", () => {
  expect(limits.configured.map(ruleText)).toEqual([
    "20 message.* per 1 h, of each user",
    "1000 message.* per day, together",
  ]);
});
