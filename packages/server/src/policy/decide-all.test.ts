import { expect, test } from "vitest";
import { decideAll } from "./decide-all.ts";
import type { Decision } from "./decision.ts";
import { weighRisk } from "./risk.ts";

const decision: Decision = {
  ...{ effect: "allow", risk: "high", obligations: {}, matched: [], reason: "", revision: "r" },
};

test("whom a rule of one resource names may answer what another resource's risk alone asks", () => {
  const approval = { by: ["security"], quorum: 1, expiresMs: 1_000 };
  const merged = decideAll({ action: "pay.send" } as never, ["by risk", "by rule"], (request) =>
    request.resource === "by risk"
      ? weighRisk(decision, request, { ask: 1, deny: null })
      : { ...decision, effect: "ask", obligations: { approval } },
  );
  expect(merged.effect).toBe("ask");
  expect(merged.obligations.approval?.by).toEqual(["security"]);
});
