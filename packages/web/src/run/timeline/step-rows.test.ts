import { describe, expect, test } from "vitest";
import type { Approval, StepView } from "../../api/contract.ts";
import { activeIntervals, largeGroups, rowsOf, turnOf, type RowOptions } from "./step-rows.ts";

const at = (ms: number): string => new Date(ms).toISOString();
const all: RowOptions = { folded: new Set(), filter: "", nowMs: 10_000 };

function step(path: string, depth: number, fields: Partial<StepView> = {}): StepView {
  return {
    path,
    id: path.split("/").at(-1) ?? path,
    kind: "tool",
    role: "step",
    branch: null,
    childRunId: null,
    caught: false,
    held: null,
    carried: null,
    signal: null,
    title: null,
    depth,
    state: "completed",
    attempt: 1,
    startedAt: at(0),
    endedAt: at(1_000),
    tool: "file_ops.read",
    resource: null,
    summary: null,
    effect: null,
    args: {},
    output: null,
    error: null,
    decision: null,
    approvalId: null,
    ...fields,
  };
}

function approval(path: string, fromMs: number, toMs: number | null): Approval {
  return {
    step: path,
    status: toMs === null ? "waiting" : "approved",
    requestedAt: at(fromMs),
    decidedAt: toMs === null ? null : at(toMs),
  } as Approval;
}

const tree = [
  step("list", 0),
  step("each", 0, { kind: "for_each", tool: null }),
  step("each/0/read", 1),
  step("each/1/read", 1, { title: "Read the logo" }),
  step("report", 0),
];

describe("rowsOf", () => {
  test("hides what is folded and says how much that is", () => {
    const rows = rowsOf(tree, [], { ...all, folded: new Set(["each"]) });
    expect(rows.map((row) => row.step.path)).toEqual(["list", "each", "report"]);
    expect(rows[1]).toMatchObject({ childCount: 2, isFolded: true });
  });

  test("keeps the ancestors of a match and looks into folded steps", () => {
    const rows = rowsOf(tree, [], { ...all, filter: "logo", folded: new Set(["each"]) });
    expect(rows.map((row) => row.step.path)).toEqual(["each", "each/1/read"]);
  });

  test("cuts a tool's bar where a person was asked", () => {
    const delete_ = step("delete", 0, { endedAt: at(9_000) });
    const [row] = rowsOf([delete_], [approval("delete", 100, 8_000)], all);
    expect(row?.pieces).toEqual([
      { fromMs: 0, toMs: 100, kind: "work" },
      { fromMs: 100, toMs: 8_000, kind: "wait" },
      { fromMs: 8_000, toMs: 9_000, kind: "work" },
    ]);
  });

  test("lets a waiting step grow until now", () => {
    const waiting = step("delete", 0, { state: "waiting", endedAt: null });
    const [row] = rowsOf([waiting], [approval("delete", 0, null)], all);
    expect(row?.pieces).toEqual([{ fromMs: 0, toMs: 10_000, kind: "wait" }]);
    expect(row?.isLive).toBe(true);
  });

  test("draws nothing for a step that has not begun", () => {
    expect(
      rowsOf([step("a", 0, { state: "pending", startedAt: null, endedAt: null })], [], all)[0]?.pieces,
    ).toEqual([]);
  });
});

test("largeGroups folds what is long, but not around the selected step", () => {
  expect([...largeGroups(tree, 1, undefined)]).toEqual(["each"]);
  expect([...largeGroups(tree, 2, undefined)]).toEqual([]);
  expect([...largeGroups(tree, 1, "each/0/read")]).toEqual([]);
});

test("activeIntervals leaves out groups and waiting", () => {
  const steps = [
    ...tree.slice(0, 3),
    step("ok", 0, { kind: "approval", startedAt: at(1_000), endedAt: at(5_000) }),
  ];
  expect(activeIntervals(steps, [], 10_000)).toHaveLength(2);
});

test("turnOf reads the turn from the path", () => {
  expect([turnOf("each/3/inner"), turnOf("branch1/inner"), turnOf("list")]).toEqual([3, null, null]);
});
