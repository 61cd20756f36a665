import { expect, test } from "vitest";
import type { SupervisionTree } from "../api/operations-calls.ts";
import { flattenTree, mailboxText, nodeLook } from "./tree-looks.ts";

function node(name: string, children: readonly SupervisionTree[] = []): SupervisionTree {
  return {
    ...{ name, children, kind: "part", state: "running", health: { kind: "ok" }, restarts: 0 },
    ...{ lastError: null, uptimeMs: 1, strategy: null, mailbox: null },
  };
}

test("a part that is made anew is not shown as well, whatever it last said of itself", () => {
  expect(nodeLook({ state: "restarting", health: { kind: "ok" } }).tone).toBe("waiting");
  expect(nodeLook({ state: "running", health: { kind: "degraded" } }).label).toBe("Degraded");
  expect(nodeLook({ state: "running", health: { kind: "ok" } }).label).toBe("Well");
});

test("a mailbox says what it lost, and only that", () => {
  const mailbox = { length: 3, capacity: 64, overflow: "reject", accepted: 90, longest: 12 } as const;
  expect(mailboxText({ ...mailbox, dropped: 0, rejected: 0 })).toBe(
    "3 of 64 messages, longest 12; refuses when full",
  );
  expect(mailboxText({ ...mailbox, dropped: 0, rejected: 2 })).toContain("; 2 refused;");
});

test("a tree is read from the top down", () => {
  const tree = node("a", [node("b", [node("c")]), node("d")]);
  expect(flattenTree(tree).map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
});
