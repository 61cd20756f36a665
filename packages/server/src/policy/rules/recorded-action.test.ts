import { expect, test } from "vitest";
import { askedOf } from "./recorded-action.ts";

const request = { action: "a", args: {}, labels: [], agent: "workflow:w", role: "operator", tenant: "t" };

test("what is kept of a question is what was known, and says where nothing was", () => {
  expect(askedOf(request, [])).toEqual({
    agent: "workflow:w",
    role: "operator",
    user: null,
    atMs: 0,
    otherResources: [],
    risks: null,
    flow: null,
  });
  const risks = { recentDenials: 1, recentFailures: 2, recentActions: 3 };
  const flow = { arguments: [], history: [], isEffect: true, isRequested: false, newTargets: 2 };
  expect(askedOf({ ...request, user: "user:ada", atMs: 7, risks, flow }, ["y"])).toEqual({
    agent: "workflow:w",
    role: "operator",
    user: "user:ada",
    atMs: 7,
    otherResources: ["y"],
    risks,
    flow: { isEffect: true, isRequested: false, newTargets: 2 },
  });
});
