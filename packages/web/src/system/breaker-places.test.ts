import { expect, test } from "vitest";
import type { Limits } from "../api/operations-calls.ts";
import { placesText, processName, resetText } from "./breaker-places.ts";

type Process = Limits["processes"][number];
type State = Process["breakers"][number]["state"];

function worker(pid: number, state: State | undefined, more: Partial<Process> = {}): Process {
  const breaker = { target: "x", failures: 5, openUntil: null };
  return {
    ...{ id: `wrk_${pid}`, role: "worker", host: "kiln", pid, state: "running", isAnswering: false },
    ...{ reportedAt: null, leftOut: 0, buckets: [], bulkheads: [], refusals: [] },
    breakers: state === undefined ? [] : [{ ...breaker, state }],
    ...more,
  };
}

test("a breaker is told by the processes that have it, the worst first, and not by one that is silent", () => {
  const processes = [
    worker(1, "counting"),
    worker(2, "open"),
    worker(3, "open", { role: "gateway", host: "loom" }),
    worker(4, undefined),
    worker(5, "open", { state: "silent" }),
  ];
  expect(placesText("x", processes)).toBe(
    "open in worker kiln:2 and gateway loom:3; counting in worker kiln:1",
  );
  expect(placesText("y", processes)).toBe("");
  expect(placesText("x", [worker(1, "open")])).toBe("");
  expect(processName(worker(1, "open", { role: "all" }))).toBe("process kiln:1");
});

test("many processes are told by the first three and how many more", () => {
  const all = [1, 2, 3, 4, 5].map((pid) => worker(pid, "probing"));
  expect(placesText("x", all)).toBe(
    "trying one call in worker kiln:1, worker kiln:2, worker kiln:3 and 2 more",
  );
});

test("a reset says who has not answered", () => {
  const answer = (pid: number, targets: string[] | null) => ({ ...worker(pid, undefined), targets });
  expect(resetText("x", { processes: [answer(1, ["x"]), answer(2, [])] })).toEqual({
    text: "x may be called again",
    isComplete: true,
  });
  expect(resetText("x", { processes: [answer(1, ["x"]), answer(2, null)] })).toEqual({
    text: "worker kiln:2 did not answer yet; failures are forgotten there when it does",
    isComplete: false,
  });
});
