import { expect, test } from "vitest";
import type { WorkerRow } from "../../queue/worker-registry.ts";
import { judgeWorkers } from "./check-cluster.ts";

function row(more: Partial<WorkerRow> = {}): WorkerRow {
  return {
    id: "one",
    role: "all",
    host: "box",
    pid: 7,
    version: "1.0.0",
    url: "http://127.0.0.1:1",
    offers: [],
    isolation: "none",
    concurrency: 4,
    active: 0,
    policyRevision: "r1",
    startedAtMs: 1,
    seenAtMs: 1,
    state: "running",
    ...more,
  };
}

test("one process that does everything is both gateway and worker", () => {
  expect(judgeWorkers([row()], [])).toEqual([
    { name: "workers", state: "ok", detail: "1 gateway, 1 worker" },
  ]);
  expect(judgeWorkers([row({ state: "gone" })], [])).toEqual([]);
});

test.each([
  [[row({ role: "worker" })], [], "nobody publishes"],
  [[row({ role: "gateway" })], [], "nobody drives runs"],
  [[row(), row({ policyRevision: "r2" })], [], "same policy"],
  [[row(), row({ version: "1.1.0" })], [], "same version"],
  [[row(), row({ state: "silent", role: "worker" })], [], "worker 7 on box is silent"],
  [[row()], [{ need: "root:shelf", runs: 2 }], "2 due runs need root:shelf"],
])("trouble of %j is told with what to do", (known, unmet, text) => {
  const [found] = judgeWorkers(known, unmet);
  expect(found).toMatchObject({ state: "warning", detail: expect.stringContaining(text) });
  expect(found?.hint).toBeTruthy();
});
