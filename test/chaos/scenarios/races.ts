/** Answers that race with a cancel, with each other, and with the death of the server. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Payments } from "../../cluster/payments.ts";
import type { Acknowledged } from "../evidence.ts";
import type { Scenario } from "../scenario.ts";

const askedBody = "amount=1";
const editedBody = "amount=2";

/** The expiry is so short that it often comes while the server starts anew. */
const policy = `version: 1
rules:
  - { name: paying asks, action: http.request, effect: ask, approval: { expires: 3s } }
  - { name: everything else, action: "*", effect: allow }
`;

function workflow(port: number): string {
  return `version: 1
name: race
steps:
  - { id: pay, tool: http.request, timeout: 5s, with: { method: POST, url: "http://127.0.0.1:${port}/charge", body: ${askedBody} } }
`;
}

export const approvalRaces: Scenario = {
  name: "approval-races",
  about: "approve, edit, reject, cancel and expiry at the same moment, and kill -9 in between",
  needs: [],
  breaks: ["kills", "acknowledged", "paid"],
  async run({ open, random, scale }) {
    const { cluster, bank, settle } = await open({ database: "sqlite", policy, bankDelayMs: 30 });
    const payments: Payments = { submitted: new Map(), outcomeQuestions: 0 };
    const acknowledged: Acknowledged[] = [];
    const rounds = 12 * scale;
    const figures = { rounds, kills: 0, late: 0, edits: 0 };
    let member = await cluster.start("all");
    for (let round = 0; round < rounds; round += 1) {
      const key = `race-${round}`;
      const body = { workflow: workflow(bank.port) };
      const { id } = await cluster.call<{ id: string }>("POST", "/v1/tasks", { body, key });
      payments.submitted.set(key, id);
      const question = await waitingQuestion(cluster, id);
      if (question === undefined) continue;
      const chosen = { isLate: random() < 0.3, isEdit: random() < 0.5, isCancel: random() < 0.4 };
      // Around the moment when the question expires, which a worker notices a little later.
      if (chosen.isLate) await sleep(Math.max(0, question.expiresAtMs - Date.now() - 150 + random() * 500));
      const words = wordsFor(question, { round, runId: id, port: bank.port, ...chosen });
      figures.late += Number(chosen.isLate);
      figures.edits += Number(chosen.isEdit);
      const answered = Promise.all(
        words.map(async ({ path, request, ...word }) => {
          // Whoever is late gets a 409, and that is right.
          await cluster.call("POST", path, request).then(
            () => acknowledged.push(word),
            () => undefined,
          );
        }),
      );
      if (random() < 0.5) {
        await sleep(random() * 60);
        await member.kill();
        figures.kills += 1;
        member = await cluster.start("all");
      }
      await answered;
    }
    const violations = await settle(payments, { ends: ["COMPLETED", "FAILED", "CANCELLED"], acknowledged });
    return {
      violations: [...violations, ...amountProblems(bank.bodies)],
      figures: { ...figures, acknowledged: acknowledged.length, paid: bank.charges.size },
    };
  },
};

interface Question {
  readonly id: string;
  readonly expiresAtMs: number;
}

interface Word extends Acknowledged {
  readonly path: string;
  readonly request: { readonly body: unknown; readonly key: string };
}

/** What several people say at the same moment. */
function wordsFor(
  { id }: Question,
  race: {
    readonly round: number;
    readonly runId: string;
    readonly port: number;
    readonly isEdit: boolean;
    readonly isCancel: boolean;
  },
): readonly Word[] {
  const { round, runId, port } = race;
  const path = `/v1/approvals/${id}/decision`;
  const edit = { method: "POST", url: `http://127.0.0.1:${port}/charge`, body: editedBody };
  const approve = { answer: "approve", ...(race.isEdit ? { edit } : {}) };
  const words: Word[] = [
    { runId, word: "approve", approvalId: id, path, request: { body: approve, key: `a-${round}` } },
    {
      ...{ runId, word: "reject", approvalId: id, path },
      request: { body: { answer: "reject", reason: "no" }, key: `r-${round}` },
    },
  ];
  const cancel = {
    path: `/v1/runs/${runId}/cancel`,
    request: { body: { reason: "stop" }, key: `c-${round}` },
  };
  return race.isCancel ? [...words, { runId, word: "cancel", approvalId: null, ...cancel }] : words;
}

function amountProblems(bodies: ReadonlyMap<string, string>): readonly string[] {
  return [...bodies]
    .filter(([, body]) => body !== askedBody && body !== editedBody)
    .map(([key, body]) => `${key} was charged ${body}, which nobody was asked about`);
}

/** Undefined when it has expired before anybody saw it, as it does while a server starts on a busy machine. */
async function waitingQuestion(cluster: Pick<Cluster, "call">, runId: string): Promise<Question | undefined> {
  for (let tries = 0; tries < 400; tries += 1) {
    const { data } = await cluster.call<{ data: { id: string; runId: string; expiresAt: string }[] }>(
      "GET",
      "/v1/approvals?limit=200",
    );
    const found = data.find((each) => each.runId === runId);
    if (found !== undefined) return { id: found.id, expiresAtMs: Date.parse(found.expiresAt) };
    const run = await cluster.call<{ state: string }>("GET", `/v1/runs/${runId}`);
    if (run.state === "FAILED") return undefined;
    await sleep(25);
  }
  throw new Error(`${runId} asks nobody`);
}
