import { expect, test } from "vitest";
import { actionsOf, addChange, directionOf, type Change, type ChangeGroup } from "./change-groups.ts";

const change = (from: Change["from"], to: Change["to"], step = "a"): Change => ({
  runId: "run_1",
  step,
  at: "2026-01-01T00:00:00Z",
  action: "file_ops.read",
  resource: "workspace/a",
  from,
  to,
  reason: "because",
});

test("changes are counted by what they were and become, the loosest first", () => {
  const changes = [
    change("allow", "deny"),
    change("allow", "ask"),
    change("deny", "allow"),
    change("allow", "ask", "b"),
  ];
  const groups = changes.reduce<readonly ChangeGroup[]>((all, each) => addChange(all, each), []);
  expect(groups.map(({ from, to, count }) => `${from} ${to} ${count}`)).toEqual([
    "deny allow 1",
    "allow ask 2",
    "allow deny 1",
  ]);
});

test("only so many examples are kept, all are counted", () => {
  let groups: readonly ChangeGroup[] = [];
  for (let at = 0; at < 5; at += 1) groups = addChange(groups, change("allow", "ask", String(at)), 3);
  expect(groups[0]?.count).toBe(5);
  expect(groups[0]?.examples.map(({ step }) => step)).toEqual(["0", "1", "2"]);
});

test("a group is looser or stricter, and names its actions by number", () => {
  expect(directionOf({ from: "deny", to: "ask" })).toBe("looser");
  expect(directionOf({ from: "allow", to: "ask" })).toBe("stricter");
  expect(actionsOf([{ action: "a" }, { action: "b" }, { action: "b" }])).toEqual([
    { action: "b", count: 2 },
    { action: "a", count: 1 },
  ]);
});
