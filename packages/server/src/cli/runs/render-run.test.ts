import { expect, test } from "vitest";
import { renderDetail } from "./render-run.ts";

type Detail = Parameters<typeof renderDetail>[0];

test("a step tells what was taken out of its arguments or quoted in them, and why", () => {
  const passage = { at: 3, length: 40, score: 95, reasons: ["asks to set instructions aside"] };
  const changes = [
    { path: "body", handling: "strip", digest: "d", passages: [passage, { ...passage, at: 90 }] },
    { path: "note", handling: "quote", digest: "d", passages: [passage] },
  ];
  const step = {
    ...{
      path: "send",
      depth: 0,
      state: "completed",
      startedAt: null,
      endedAt: null,
      carried: null,
      held: null,
    },
    ...{ summary: "send a mail", title: null, tool: "mail.send", error: null },
    decision: { transformed: { rules: ["clean"], changes } },
  };
  // What a list of steps needs of a run; the rest of it is told elsewhere.
  const none = {
    origin: null,
    error: null,
    fault: null,
    progress: null,
    workspaceRestored: null,
    waitingFor: null,
    outputs: null,
  };
  const run = {
    ...{ ...none, id: "run_1", state: "COMPLETED", workflow: { name: "w", digest: "d" }, requester: "ada" },
    ...{
      inputs: {},
      messages: [],
      steps: [step],
      approvals: [],
      artifacts: [],
      labels: [],
      createdAt: "",
      endedAt: null,
    },
  } as unknown as Detail;
  const text = renderDetail(run, (_, shown) => shown);
  expect(text).toContain(
    "body: 2 passages (80 characters) of a third party left out: asks to set instructions aside",
  );
  expect(text).toContain(
    "note: 1 passage (40 characters) of a third party quoted: asks to set instructions aside",
  );
});
