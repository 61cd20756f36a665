import { expect, test } from "vitest";
import { createLiveRuns } from "./live.ts";
import type { LiveMessage } from "./live.ts";

test("a watcher of one run hears that run, a watcher of all hears every run, and neither after leaving", () => {
  const live = createLiveRuns();
  const one: LiveMessage[] = [];
  const all: LiveMessage[] = [];
  const leave = live.subscribe("run_1", (message) => one.push(message));
  live.subscribe(null, (message) => all.push(message));
  live.publish({ kind: "progress", runId: "run_1", step: "s", text: "a" });
  live.publish({ kind: "progress", runId: "run_2", step: "s", text: "b" });
  leave();
  live.publish({ kind: "progress", runId: "run_1", step: "s", text: "c" });
  expect(one.map((message) => message.kind === "progress" && message.text)).toEqual(["a"]);
  expect(all).toHaveLength(3);
});
