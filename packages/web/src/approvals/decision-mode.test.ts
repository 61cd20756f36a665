import { expect, test } from "vitest";
import { closedBecause } from "./decision-mode.ts";

const action = { kind: "action", quorum: 1, mayRemember: true } as const;
const may = { kind: "may" } as const;

test("an action may be approved, edited, remembered and handed on by whoever may answer it", () => {
  for (const mode of ["approve", "reject", "edit", "remember", "hand-on"] as const)
    expect(closedBecause(mode, action, may)).toBeNull();
});

test("a quorum closes editing, policy closes remembering, a workflow's own question has neither", () => {
  expect(closedBecause("edit", { ...action, quorum: 2 }, may)).toMatch(/same arguments/);
  expect(closedBecause("remember", { ...action, mayRemember: false }, may)).toMatch(/each time/);
  const step = { kind: "step", quorum: 1, mayRemember: false } as const;
  expect(closedBecause("edit", step, may)).toMatch(/Only an action/);
  expect(closedBecause("remember", step, may)).toMatch(/Only actions/);
});

test("whoever may only say no may reject, and nothing that agrees", () => {
  const eyes = { kind: "may-reject", why: "four eyes" } as const;
  expect(closedBecause("reject", action, eyes)).toBeNull();
  for (const mode of ["approve", "confirm", "edit", "remember"] as const)
    expect(closedBecause(mode, action, eyes)).toBe("four eyes");
});
