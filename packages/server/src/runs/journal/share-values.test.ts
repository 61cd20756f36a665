import { expect, test } from "vitest";
import type { ActionIntent, RunEvent } from "./event.ts";
import { createSharing } from "./share-values.ts";

function intended(seq: number, reason: string): RunEvent {
  const intent: ActionIntent = {
    ...{ tool: "file_ops.read", effect: "pure", args: { path: `${seq}.txt` }, argsDigest: String(seq) },
    ...{
      resource: "workspace",
      summary: "read a file",
      labels: ["operator"],
      attempt: 1,
      key: `run/${seq}/1`,
    },
    decision: {
      ...{ effect: "allow", risk: "low", obligations: {}, matched: [], revision: "r1" },
      reason,
    },
    ...{ approvalId: null, deadlineAtMs: 0, resumed: false },
  };
  return {
    ...{ runId: "run_1", seq, v: 1, atMs: seq, actor: { kind: "agent", id: "a" }, digest: String(seq) },
    body: { kind: "action.intended", step: `each/${seq}`, intent },
  };
}

function intentOf({ body }: RunEvent): ActionIntent {
  if (body.kind !== "action.intended") throw new Error(body.kind);
  return body.intent;
}

test("equal decisions and labels of different events become the same values, and no event changes", () => {
  const share = createSharing();
  const [one, two, three] = [intended(1, "a rule"), intended(2, "a rule"), intended(3, "another rule")].map(
    (event) => {
      const shared = share(event);
      expect(shared).toEqual(event);
      return intentOf(shared);
    },
  );
  expect(two!.decision).toBe(one!.decision);
  expect(two!.labels).toBe(one!.labels);
  expect(two!.args).not.toBe(one!.args);
  expect(three!.decision).not.toBe(one!.decision);
});

test("events without an intent are given back as they are", () => {
  const { runId, seq, v, atMs, actor, digest } = intended(1, "a rule");
  const event: RunEvent = { runId, seq, v, atMs, actor, digest, body: { kind: "run.started", attempt: 1 } };
  expect(createSharing()(event)).toBe(event);
});

test("outcomes share the labels of their data too", () => {
  const share = createSharing();
  const [one, two] = [1, 2].map((seq) => {
    const { runId, v, atMs, actor, digest } = intended(seq, "a rule");
    const outcome = { attempt: 1, output: seq, labels: ["tool"], durationMs: 1, workspace: null } as const;
    const body = {
      kind: "action.completed",
      step: "a",
      ...outcome,
      artifacts: [],
      recovered: false,
    } as const;
    const event: RunEvent = { runId, seq, v, atMs, actor, digest, body: { ...body, labels: ["tool"] } };
    const shared = share(event);
    expect(shared).toEqual(event);
    return shared.body.kind === "action.completed" ? shared.body.labels : undefined;
  });
  expect(one).toBeDefined();
  expect(two).toBe(one);
});

test("what comes after a thousand different values is left as it is", () => {
  const share = createSharing();
  const decisionOf = (reason: string): unknown => intentOf(share(intended(1, reason))).decision;
  const first = decisionOf("rule 0");
  for (let rule = 1; rule <= 1_000; rule += 1) decisionOf(`rule ${rule}`);
  expect(decisionOf("rule 0")).toBe(first);
  expect(decisionOf("a late rule")).toEqual(decisionOf("a late rule"));
  expect(decisionOf("a late rule")).not.toBe(decisionOf("a late rule"));
});
