import { describe, expect, test } from "vitest";
import type { Approval, RunState, RunSummary } from "../api/contract.ts";
import { applyApproval, applyRun, type RunFilter, type RunPages } from "./apply-run.ts";

const everything: RunFilter = { states: [], workflow: "" };

function run(id: string, state: RunState, headSeq = 1, createdAt = `2026-11-21T12:00:0${id}Z`): RunSummary {
  return {
    id,
    workflow: { name: "brand-audit", digest: "d" },
    state,
    waitingFor: null,
    priority: "normal",
    attempts: 1,
    maxAttempts: 1,
    requester: "admin",
    labels: [],
    createdAt,
    startedAt: null,
    endedAt: null,
    error: null,
    headSeq,
    stepsDone: 0,
    stepsTotal: 3,
    artifactCount: 0,
    parent: null,
    progress: null,
    fault: null,
  };
}

function list(...runs: RunSummary[]): RunPages {
  return { pages: [{ data: runs, nextCursor: null }] };
}

function states(data: RunPages): string[] {
  return data.pages.flatMap((page) => page.data.map((row) => `${row.id}:${row.state}`));
}

describe("applyRun", () => {
  test("replaces a run where it stands", () => {
    const data = applyRun(
      list(run("2", "RUNNING"), run("1", "RUNNING")),
      run("1", "COMPLETED", 2),
      everything,
    );
    expect(states(data)).toEqual(["2:RUNNING", "1:COMPLETED"]);
  });

  test("puts a new run first", () => {
    expect(states(applyRun(list(run("1", "RUNNING")), run("2", "PENDING"), everything))).toEqual([
      "2:PENDING",
      "1:RUNNING",
    ]);
    expect(states(applyRun(list(), run("2", "PENDING"), everything))).toEqual(["2:PENDING"]);
  });

  test("drops a run that left the filter and ignores one that never belonged", () => {
    const filter: RunFilter = { states: ["RUNNING"], workflow: "" };
    expect(states(applyRun(list(run("1", "RUNNING")), run("1", "WAITING", 2), filter))).toEqual([]);
    expect(states(applyRun(list(run("1", "RUNNING")), run("2", "FAILED"), filter))).toEqual(["1:RUNNING"]);
  });

  test("a filter by label and parent lets only such runs in", () => {
    const labelled = { ...run("1", "RUNNING"), labels: ["night"], parent: "9" };
    const night: RunFilter = { ...everything, label: "night" };
    expect(states(applyRun(list(), labelled, night))).toEqual(["1:RUNNING"]);
    expect(states(applyRun(list(), labelled, { ...everything, label: "day" }))).toEqual([]);
    expect(states(applyRun(list(), labelled, { ...everything, parent: "9" }))).toEqual(["1:RUNNING"]);
    expect(states(applyRun(list(), labelled, { ...everything, parent: "8" }))).toEqual([]);
  });

  test("does not let an old summary overwrite a newer one", () => {
    const data = applyRun(list(run("1", "COMPLETED", 9)), run("1", "RUNNING", 4), everything);
    expect(states(data)).toEqual(["1:COMPLETED"]);
  });

  test("leaves a run alone that is older than everything shown", () => {
    const data = applyRun(list(run("5", "RUNNING")), run("1", "COMPLETED"), everything);
    expect(states(data)).toEqual(["5:RUNNING"]);
  });
});

test("applyApproval keeps the oldest question first and drops answered ones", () => {
  const ask = (id: string, status: Approval["status"]): Approval =>
    ({ id, status, requestedAt: `2026-11-21T12:00:0${id}Z` }) as Approval;
  const waiting = [ask("1", "waiting"), ask("3", "waiting")];
  expect(applyApproval(waiting, ask("2", "waiting")).map((a) => a.id)).toEqual(["1", "2", "3"]);
  expect(applyApproval(waiting, ask("1", "approved")).map((a) => a.id)).toEqual(["3"]);
});
