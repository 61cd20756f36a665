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

test("with several processes a level says whether it is a sum or one for all", () => {
  const process = { id: "wrk_1", role: "worker", host: "kiln", pid: 1, state: "running" } as const;
  const nothing = { buckets: [], bulkheads: [], refusals: [], breakers: [], leftOut: 0 };
  const processes = [1, 2].map(() => ({ ...process, ...nothing, isAnswering: false, reportedAt: null }));
  const notes = groupLimits({ ...limits, processes }).flatMap(({ levels }) => levels.map(({ note }) => note));
  expect(notes).toEqual([
    "sum of 2 processes",
    "",
    "one for all processes",
    "in one process, 1 of 16 in line, 3 turned away",
  ]);
});

test("a rate of a policy rule is told by who acts and how often", () => {
  const bucket = { left: 2, count: 3, perMs: 60_000, processes: 1 };
  const keys = ["policy/acme/workflow:a/b/http.get/3/60000", "policy/short", "policy/a/b/c/3/soon"];
  const { levels } = groupLimits({
    ...limits,
    ...{ configured: [], quotas: [], bulkheads: [] },
    buckets: keys.map((key) => ({ ...bucket, key })),
  })[0]!;
  expect(levels.map(({ whose, note }) => [whose, note])).toEqual([
    ["acme/workflow:a/b http.get", "3 per 1 min"],
    ["policy/short", ""],
    ["policy/a/b/c/3/soon", ""],
  ]);
});
