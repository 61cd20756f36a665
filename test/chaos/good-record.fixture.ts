/** The record of a run in which nothing went wrong, and copies of it that can be damaged as a fault of the runtime would. */
import { mkdirSync, rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue } from "node:sqlite";
import { canonicalJson } from "../../packages/server/src/base/canonical-json.ts";
import type { JsonValue } from "../../packages/server/src/base/canonical-json.ts";
import { commit } from "../../packages/server/src/base/digest.ts";
import { homeAt } from "../../packages/server/src/home/home.ts";
import { frameEntries } from "../../packages/server/src/ledger/entry.ts";
import { openLog } from "../../packages/server/src/ledger/log.ts";
import type { EventBody } from "../../packages/server/src/runs/journal/event.ts";
import { stepOf } from "../../packages/server/src/runs/journal/event.ts";
import {
  chainDigest,
  emptyHead,
  insertRow,
  rowFromStore,
} from "../../packages/server/src/runs/journal/journal.ts";
import type { JournalRow } from "../../packages/server/src/runs/journal/journal.ts";
import { ledgerEntryOf } from "../../packages/server/src/runs/session/session.ts";
import { openSqliteReader } from "../../packages/server/src/store/sqlite/sqlite-reader.ts";
import { createCluster } from "../cluster/cluster.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { bankEnvironment, untilPublished } from "../cluster/payments.ts";
import type { Acknowledged } from "./evidence.ts";
import { gatherEvidence } from "./evidence.ts";
import { startFakeBank } from "./fake-bank.ts";
import { violationsOf } from "./invariants.ts";

const policy = `version: 1
rules:
  - { name: paying asks, action: http.request, effect: ask }
  - { name: everything else, action: "*", effect: allow }
`;

function workflow(port: number): string {
  return `version: 1
name: payment
steps:
  - { id: note, tool: file_ops.write, with: { path: note.txt, content: "about to pay" } }
  - { id: pay, tool: http.request, with: { method: POST, url: "http://127.0.0.1:${port}/charge", body: "amount=1" } }
  - { id: sum, set: { paid: true } }
`;
}

/** Runs whose one payment was approved, refused, or never decided because of a cancel. */
export interface GoodRecord {
  readonly paid: string;
  readonly refused: string;
  readonly cancelled: string;
  copy(): Promise<Damageable>;
  remove(): Promise<void>;
}

export interface ForgedEvent {
  readonly row: JournalRow;
  readonly body: EventBody;
}

export interface Damageable {
  readonly submitted: Map<string, string>;
  readonly acknowledged: Acknowledged[];
  readonly ends: string[];
  readonly charges: Map<string, number>;
  readonly bodies: Map<string, string>;
  readonly home: string;
  sql(text: string, ...values: readonly SQLInputValue[]): void;
  /**
   * Another journal for this run, as if the runtime had written it: chained anew, its head in the run's row, and a ledger that
   * proves it. Events keep their numbers; see `numbered`.
   */
  rewrite(runId: string, change: (events: readonly ForgedEvent[]) => readonly ForgedEvent[]): void;
  violations(): Promise<readonly string[]>;
}

/** One after another from 1. */
export function numbered(events: readonly ForgedEvent[]): readonly ForgedEvent[] {
  return events.map(({ row, body }, index) => ({ row: { ...row, seq: index + 1 }, body }));
}

export function hasKind<Kind extends EventBody["kind"]>(
  kind: Kind,
): (event: ForgedEvent) => event is ForgedEvent & { readonly body: Extract<EventBody, { kind: Kind }> } {
  return (event): event is ForgedEvent & { readonly body: Extract<EventBody, { kind: Kind }> } =>
    event.body.kind === kind;
}

export async function recordGoodRun(): Promise<GoodRecord> {
  const kept = await mkdtemp(join(tmpdir(), "homeostat-record-"));
  const bank = await startFakeBank(0);
  const cluster = await createCluster({ database: "sqlite", policy, environment: bankEnvironment(bank) });
  try {
    const member = await cluster.start("all");
    const submitted = new Map<string, string>();
    for (const key of ["paid", "refused", "cancelled"]) {
      const body = { workflow: workflow(bank.port) };
      submitted.set(key, (await cluster.call<{ id: string }>("POST", "/v1/tasks", { body, key })).id);
    }
    const [paid, refused, cancelled] = [...submitted.values()] as [string, string, string];
    const acknowledged: Acknowledged[] = [
      { runId: paid, word: "approve", approvalId: await answer(cluster, paid, { answer: "approve" }) },
      {
        runId: refused,
        word: "reject",
        approvalId: await answer(cluster, refused, { answer: "reject", reason: "no" }),
      },
      { runId: cancelled, word: "cancel", approvalId: null },
    ];
    await questionOf(cluster, cancelled);
    await cluster.call("POST", `/v1/runs/${cancelled}/cancel`, { body: { reason: "stop" }, key: "cancel" });
    for (const [id, state] of [
      [paid, "COMPLETED"],
      [refused, "FAILED"],
      [cancelled, "CANCELLED"],
    ] as const)
      await until(`${id} is ${state}`, async () => {
        return (await cluster.call<{ state: string }>("GET", `/v1/runs/${id}`)).state === state;
      });
    await untilPublished(cluster);
    await member.stop();
    await cp(cluster.home, kept, { recursive: true });
    const { charges, bodies } = bank;
    return {
      ...{ paid, refused, cancelled },
      copy: () => copyRecord(kept, { submitted, acknowledged, charges, bodies }),
      remove: () => rm(kept, { recursive: true, force: true }),
    };
  } finally {
    await cluster.stop();
    await bank.close();
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error(`not in time: ${what}`);
}

async function questionOf(cluster: Cluster, runId: string): Promise<string> {
  let found: string | undefined;
  await until(`${runId} asks`, async () => {
    const { data } = await cluster.call<{ data: { id: string; runId: string }[] }>("GET", "/v1/approvals");
    found = data.find((each) => each.runId === runId)?.id;
    return found !== undefined;
  });
  return found!;
}

async function answer(cluster: Cluster, runId: string, body: object): Promise<string> {
  const id = await questionOf(cluster, runId);
  await cluster.call("POST", `/v1/approvals/${id}/decision`, { body, key: id });
  return id;
}

async function copyRecord(
  from: string,
  {
    submitted,
    acknowledged,
    charges,
    bodies,
  }: Pick<Damageable, "submitted" | "acknowledged"> & {
    readonly charges: ReadonlyMap<string, number>;
    readonly bodies: ReadonlyMap<string, string>;
  },
): Promise<Damageable> {
  const home = await mkdtemp(join(tmpdir(), "homeostat-damaged-"));
  await cp(from, home, { recursive: true });
  const path = homeAt(home).stateDatabase;
  const change = (act: (database: DatabaseSync) => void): void => {
    const database = new DatabaseSync(path);
    try {
      act(database);
    } finally {
      database.close();
    }
  };
  const damaged: Damageable = {
    home,
    submitted: new Map(submitted),
    acknowledged: [...acknowledged],
    ends: ["COMPLETED", "FAILED", "CANCELLED"],
    charges: new Map(charges),
    bodies: new Map(bodies),
    sql: (text, ...values) => change((database) => database.prepare(text).run(...values)),
    rewrite: (runId, how) =>
      change((database) => {
        rewriteJournal(database, runId, how);
        rewriteLedger(database, home);
      }),
    async violations() {
      const reader = await openSqliteReader(path);
      try {
        const evidence = await gatherEvidence({ home, reader, bank: damaged }, damaged);
        return await violationsOf(evidence);
      } finally {
        await reader.close();
        await rm(home, { recursive: true, force: true });
      }
    },
  };
  return damaged;
}

/** Bodies lie in the rows: the workflow is small. */
function rewriteJournal(
  database: DatabaseSync,
  runId: string,
  change: (events: readonly ForgedEvent[]) => readonly ForgedEvent[],
): void {
  const rows = database.prepare("SELECT * FROM journal WHERE run_id = ? ORDER BY seq").all(runId);
  const events = rows.map((stored) => {
    const row = rowFromStore(stored as never);
    const rest = JSON.parse(row.body!) as object;
    return { row, body: { kind: row.kind, ...rest } as EventBody };
  });
  database.prepare("DELETE FROM journal WHERE run_id = ?").run(runId);
  let head = emptyHead(runId);
  for (const { row, body } of change(events)) {
    const { kind, ...rest } = body;
    const text = canonicalJson(rest as unknown as JsonValue);
    const open = { ...row, kind, step: stepOf(body), body: text, bodyDigest: commit(row.salt, text) };
    head = { seq: row.seq, digest: chainDigest(head.digest, open) };
    const { sql, params = [] } = insertRow({ ...open, digest: head.digest });
    database.prepare(sql).run(...(params as SQLInputValue[]));
  }
  database
    .prepare("UPDATE runs SET head_seq = ?, head_digest = ? WHERE id = ?")
    .run(head.seq, head.digest, runId);
}

/** A ledger with keys of its own that holds what the journals say now. */
function rewriteLedger(database: DatabaseSync, home: string): void {
  const { ledger, keys } = homeAt(home);
  rmSync(ledger, { recursive: true });
  for (const name of ["signing", "hmac", "auditor"]) rmSync(join(keys, `ledger-${name}.key`));
  mkdirSync(ledger, { mode: 0o700 });
  const rows = database.prepare("SELECT * FROM journal ORDER BY run_id, seq").all();
  const log = openLog(
    {
      ...{ ledgerFolder: ledger, keysFolder: keys, knownSize: 0 },
      ...{ scanBytes: 1024 ** 2, segmentBytes: 64 * 1024 ** 2 },
    },
    Date.now(),
  );
  try {
    const { size, root } = log.append(
      frameEntries(rows.map((row) => ledgerEntryOf(rowFromStore(row as never)))),
    );
    database.prepare("UPDATE ledger_position SET size = ?, root = ?").run(size, root);
  } finally {
    log.close();
  }
}
