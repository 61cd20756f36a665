/** Answers that race with a cancel, with each other, and with the death of the server. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Payments } from "../../cluster/payments.ts";
import type { Scenario } from "../scenario.ts";

const policy = `version: 1
rules:
  - { name: paying asks, action: http.request, effect: ask }
  - { name: everything else, action: "*", effect: allow }
`;

function workflow(port: number): string {
  return `version: 1
name: race
steps:
  - { id: pay, tool: http.request, timeout: 5s, with: { method: POST, url: "http://127.0.0.1:${port}/charge", body: x } }
`;
}

export const approvalRaces: Scenario = {
  name: "approval-races",
  about: "approve, reject and cancel at the same moment, and kill -9 in between",
  needs: [],
  async run({ open, random, scale }) {
    const { cluster, bank, settle } = await open({ database: "sqlite", policy, bankDelayMs: 30 });
    const payments: Payments = { submitted: new Map(), outcomeQuestions: 0 };
    const rounds = 12 * scale;
    let kills = 0;
    let member = await cluster.start("all");
    for (let round = 0; round < rounds; round += 1) {
      const key = `race-${round}`;
      const body = { workflow: workflow(bank.port) };
      const { id } = await cluster.call<{ id: string }>("POST", "/v1/tasks", { body, key });
      payments.submitted.set(key, id);
      const question = await waitingQuestion(cluster, id);
      const tries: Promise<unknown>[] = [
        cluster.call("POST", `/v1/approvals/${question}/decision`, {
          body: { answer: "approve" },
          key: `a-${round}`,
        }),
        cluster.call("POST", `/v1/approvals/${question}/decision`, {
          body: { answer: "reject", reason: "no" },
          key: `r-${round}`,
        }),
      ];
      if (random() < 0.6)
        tries.push(
          cluster.call("POST", `/v1/runs/${id}/cancel`, { body: { reason: "stop" }, key: `c-${round}` }),
        );
      // Whoever is late gets a 409, and that is right.
      const answered = Promise.allSettled(tries);
      if (random() < 0.5) {
        await sleep(random() * 60);
        await member.kill();
        kills += 1;
        member = await cluster.start("all");
      }
      await answered;
    }
    const violations = await settle(payments, { ends: ["COMPLETED", "FAILED", "CANCELLED"] });
    return { violations, figures: { rounds, kills, questions: payments.outcomeQuestions } };
  },
};

async function waitingQuestion(cluster: Pick<Cluster, "call">, runId: string): Promise<string> {
  for (let tries = 0; tries < 400; tries += 1) {
    const { data } = await cluster.call<{ data: { id: string; runId: string }[] }>(
      "GET",
      "/v1/approvals?limit=200",
    );
    const found = data.find((each) => each.runId === runId);
    if (found !== undefined) return found.id;
    await sleep(25);
  }
  throw new Error(`${runId} asks nobody`);
}
