import { expect, test } from "vitest";
import type { Approval } from "../api/contract.ts";
import { answeredText, voteText } from "./approval-text.ts";

const answered = (fields: Partial<Approval>): string =>
  answeredText({ decidedBy: null, answer: null, ...fields } as Approval);

test("names who was first", () => {
  expect(answered({ status: "approved", decidedBy: "anna", answer: "approve" })).toBe(
    "Already approved by anna. The first answer counts.",
  );
  expect(answered({ status: "resolved", decidedBy: "anna", answer: "did-not-happen" })).toBe(
    "Already resolved by anna (did-not-happen). The first answer counts.",
  );
});

test("says why nobody was", () => {
  expect(answered({ status: "expired" })).toMatch(/expired/);
  expect(answered({ status: "cancelled" })).toMatch(/cancelled/);
});

test("a vote says how many are still needed", () => {
  expect(voteText({ votes: 1, quorum: 2 })).toBe("Your yes is in: 1 of 2. One more must agree.");
  expect(voteText({ votes: 1, quorum: 4 })).toBe("Your yes is in: 1 of 4. 3 more must agree.");
});
