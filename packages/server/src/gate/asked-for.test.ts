import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Decision } from "../policy/rules/decision.ts";
import { askedFor, isCovered } from "./asked-for.ts";
import type { AskedFor } from "./asked-for.ts";

const question: AskedFor = {
  rules: ["payments"],
  by: ["approver"],
  quorum: 1,
  fourEyes: false,
  risk: "low",
};
const scored = (value: number, askedFrom: number | null): AskedFor => ({
  ...question,
  score: { value, askedFrom },
});

describe("a yes to a question that was put with a score", () => {
  test.each([
    ["below the threshold does not lift what the score asks now", scored(40, null), scored(60, 50), false],
    ["below another threshold does not lift what that one asks", scored(40, 30), scored(55, 50), false],
    ["that reached the threshold lifts the same again", scored(60, 50), scored(60, 50), true],
    ["that reached it lifts one that has risen by a light sign", scored(60, 50), scored(70, 50), true],
    ["that reached it does not lift one that has risen further", scored(60, 50), scored(71, 50), false],
    ["lifts one that has sunk", scored(90, 50), scored(55, 50), true],
    ["lifts whatever the score is that is no reason to ask", scored(40, null), scored(95, null), true],
    ["that reached a threshold policy does not have any more lifts the rule", scored(60, 50), scored(60, null), true],
    ["that an older version did not record counts as it did there", question, scored(60, 50), true],
    ["lifts what nobody weighed", scored(60, 50), question, true],
  ])("%s", (_, before, now, expected) => {
    expect(isCovered(before, now)).toBe(expected);
  }); // prettier-ignore

  test("never lifts more for a worse score", () => {
    const score = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(score, score, score, score, (before, now, more, threshold) => {
        const reached = (value: number): AskedFor => scored(value, value >= threshold ? threshold : null);
        const worse = Math.min(100, now + more);
        if (isCovered(reached(before), reached(worse))) expect(isCovered(reached(before), reached(now))).toBe(true);
        // To what is no reason to ask now nobody need have said yes.
        if (now < threshold) expect(isCovered(reached(before), reached(now))).toBe(true);
        else if (before < threshold) expect(isCovered(reached(before), reached(now))).toBe(false);
      }),
    );
  }); // prettier-ignore
});

test("what a question is put for has the score that the decision tells of, and none of an older version's", () => {
  const decision: Decision = {
    effect: "ask",
    risk: "low",
    obligations: {},
    matched: [],
    reason: "",
    revision: "r",
  };
  expect(askedFor(decision)).toEqual({
    ...{ rules: ["(risk)"], by: ["admin", "approver"], quorum: 1, fourEyes: false, risk: "low" },
  });
  const older = { ...decision, score: { value: 40, factors: [] } };
  expect(askedFor(older)).not.toHaveProperty("score");
  const score = { value: 40, factors: [], askedFrom: null };
  expect(askedFor({ ...decision, score }).score).toEqual({ value: 40, askedFrom: null });
});
