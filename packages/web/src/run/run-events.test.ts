import { describe, expect, test } from "vitest";
import type { RunEvent } from "../api/contract.ts";
import { appendEvent, countKinds, filterEvents } from "./run-events.ts";

function event(seq: number, kind = "action.completed", body: RunEvent["body"] = {}): RunEvent {
  return { seq, kind, at: "2026-11-21T12:00:00Z", step: "list", body, digest: `d${seq}` };
}

describe("appendEvent", () => {
  test("appends what follows and passes over what is known", () => {
    const known = [event(1), event(2)];
    expect(appendEvent(known, event(3))?.map((row) => row.seq)).toEqual([1, 2, 3]);
    expect(appendEvent(known, event(2))).toBe(known);
  });

  test("says that something is missing in between", () => {
    expect(appendEvent([event(1)], event(4))).toBeNull();
  });
});

test("filterEvents looks into bodies too", () => {
  const events = [event(1, "run.created"), event(2, "action.failed", { message: "Disk full" })];
  expect(filterEvents(events, { kind: "", text: "disk" }).map((row) => row.seq)).toEqual([2]);
  expect(filterEvents(events, { kind: "run.created", text: "" }).map((row) => row.seq)).toEqual([1]);
  expect(filterEvents(events, { kind: "run.created", text: "disk" })).toEqual([]);
});

test("countKinds puts the most frequent first", () => {
  expect(countKinds([event(1, "b"), event(2, "a"), event(3, "b")])).toEqual([
    ["b", 2],
    ["a", 1],
  ]);
});
