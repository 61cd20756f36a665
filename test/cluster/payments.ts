/** Work for a cluster that shows every loss and every doubling: runs that note, pay a bank once, and write a receipt. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FakeBank } from "../chaos/fake-bank.ts";
import type { Cluster } from "./cluster.ts";

/** Environment that members need to reach the bank. */
export function bankEnvironment({ port }: Pick<FakeBank, "port">): Readonly<Record<string, string>> {
  const place = `127.0.0.1:${port}`;
  return { HOMEOSTAT_TOOLS_ALLOWED_HOSTS: place, HOMEOSTAT_TOOLS_ALLOW_PRIVATE: place };
}

/** Short times, for they are how long others wait for a worker of which nobody knows what it does. */
function paymentWorkflow(port: number): string {
  return `version: 1
name: payment
steps:
  - { id: note, tool: file_ops.write, timeout: 5s, with: { path: note.txt, content: "about to pay" } }
  - { id: pay, tool: http.request, timeout: 5s, with: { method: POST, url: "http://127.0.0.1:${port}/charge", body: "amount=1" } }
  - { id: receipt, tool: file_ops.write, timeout: 5s, with: { path: receipt.txt, content: paid } }
`;
}

export interface Payments {
  /** Run ids by the key they were submitted under. */
  readonly submitted: Map<string, string>;
  outcomeQuestions: number;
}

export interface PaymentsOptions {
  readonly runs: number;
  /** Submissions under way at once. */
  readonly parallel: number;
  /** Of the keys, when one test submits several times. */
  readonly prefix?: string;
}

/** Resolves when every task has been taken in; a gateway that dies meanwhile costs a retry under the same key. */
export async function submitPayments(
  cluster: Cluster,
  bank: FakeBank,
  { runs, parallel, prefix = "payment" }: PaymentsOptions,
): Promise<Payments> {
  const submitted = new Map<string, string>();
  const body = { workflow: paymentWorkflow(bank.port) };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < runs) {
      const key = `${prefix}-${next}`;
      next += 1;
      const { id } = await cluster.call<{ id: string }>("POST", "/v1/tasks", { body, key });
      submitted.set(key, id);
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return { submitted, outcomeQuestions: 0 };
}

interface Question {
  readonly id: string;
  readonly kind: "action" | "step" | "outcome";
  readonly runId: string;
  readonly step: string;
}

/** Answers what is asked as a person with a look at the bank's records would, until no run is open. Throws after `deadlineMs`. */
export async function untilAllEnded(
  cluster: Cluster,
  bank: FakeBank,
  { payments, deadlineMs }: { readonly payments: Payments; readonly deadlineMs: number },
): Promise<void> {
  const reader = await cluster.openReader();
  const open =
    "SELECT id, state, waiting FROM runs WHERE state NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'DEAD')";
  const endMs = Date.now() + deadlineMs;
  try {
    for (;;) {
      const left = await reader.read(`${open} LIMIT 5`);
      if (left.length === 0) return;
      if (Date.now() > endMs) throw new Error(`runs do not end: ${JSON.stringify(left)}`);
      await answerQuestions(cluster, bank, payments);
      await sleep(100);
    }
  } finally {
    await reader.close();
  }
}

/** Answers what is asked now, as a person with a look at the bank's records would. */
export async function answerQuestions(cluster: Cluster, bank: FakeBank, payments: Payments): Promise<void> {
  const { data } = await cluster.call<{ data: readonly Question[] }>("GET", "/v1/approvals?limit=200");
  for (const question of data) {
    const answer =
      question.kind !== "outcome"
        ? "approve"
        : (await bank.wasCharged(question.runId, question.step))
          ? "happened"
          : "did-not-happen";
    payments.outcomeQuestions += 1;
    await cluster.call("POST", `/v1/approvals/${question.id}/decision`, {
      body: { answer },
      key: `answer-${question.id}`,
    });
  }
}

/** Waits for the publisher to have put everything into the ledger. */
export async function untilPublished(cluster: Pick<Cluster, "openReader">): Promise<void> {
  const reader = await cluster.openReader();
  try {
    for (let tries = 0; tries < 600; tries += 1) {
      const [row] = await reader.read("SELECT COUNT(*) AS n FROM ledger_outbox");
      if (Number(row?.["n"]) === 0) return;
      await sleep(50);
    }
    throw new Error("the outbox does not empty");
  } finally {
    await reader.close();
  }
}
