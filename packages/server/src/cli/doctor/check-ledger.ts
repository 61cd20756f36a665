/** What `doctor` says of the ledger: its signed head, what waits to enter it, and whether anybody else has seen it. */
import { existsSync, statSync } from "node:fs";
import { systemClock as clock } from "../../base/clock.ts";
import type { Config } from "../../config/config-schema.ts";
import { homeAt } from "../../home/home.ts";
import type { Finding } from "../../ledger/findings.ts";
import { createLedgerReader } from "../../ledger/reader.ts";
import { checkpointPath } from "../../ledger/recover.ts";
import { verifyLedger } from "../../ledger/verify.ts";
import { openStateReader } from "../../home/state-store.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { formatSpan } from "../terminal/format-time.ts";

export interface LedgerFacts {
  readonly size: number;
  /** Size that the database believes is published. */
  readonly knownSize: number;
  readonly pending: number;
  readonly checkpointAgeMs: number;
}

/** So many entries are read in about a second; of more the signed head alone is checked. */
const mostEntriesRead = 400_000;

/** The ledger's files by themselves: `homeostat verify` reads every run and artifact against them too. */
export async function checkLedger(config: Config): Promise<Diagnosis> {
  const { ledger, keys } = homeAt(config.home);
  const path = checkpointPath(ledger);
  if (!existsSync(path)) {
    const detail = config.role === "worker" ? "on the gateways' machines" : "will be made by `homeostat up`";
    return { name: "ledger", state: "ok", detail };
  }
  try {
    // Before the ledger, which only grows: what the database calls published must then be in it.
    const known = await readDatabase(config);
    const { size } = createLedgerReader(ledger).head();
    const checkpointAgeMs = Math.max(0, clock.now() - statSync(path).mtimeMs);
    const judged = judgeLedger({ size, checkpointAgeMs, ...known });
    if (judged.state === "failed" || size > mostEntriesRead) return judged;
    const { findings } = await verifyLedger({ ledgerFolder: ledger, keysFolder: keys });
    return judgeFiles(findings) ?? judged;
  } catch (error) {
    return failed("ledger", error);
  }
}

/** Undefined when every byte is as it was written. Pure. */
function judgeFiles(findings: readonly Finding[]): Diagnosis | undefined {
  const [first] = findings;
  if (first === undefined) return undefined;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : "";
  return {
    name: "ledger",
    state: "failed",
    detail: `${first.what} in ${first.where}: ${first.detail}${more}`,
    hint: "Keep the folder as it is, it is evidence; `homeostat verify` names all of it, a backup has it as it was (docs/operations-data.md).",
  };
}

/** Zeros where there is no database to be read: that is told of by itself. */
async function readDatabase(config: Config): Promise<Pick<LedgerFacts, "pending" | "knownSize">> {
  const store = await openStateReader(config).catch(() => undefined);
  if (store === undefined) return { pending: 0, knownSize: 0 };
  try {
    const [outbox] = await store.read("SELECT COUNT(*) AS n FROM ledger_outbox");
    const [position] = await store.read("SELECT size FROM ledger_position");
    return { pending: Number(outbox?.["n"] ?? 0), knownSize: Number(position?.["size"] ?? 0) };
  } finally {
    await store.close();
  }
}

/** So many are published within seconds by a server that is well. */
const manyPending = 1_000;

/** Nobody outside has signed what he saw in this version, so a rollback of the whole folder could not be seen: that is said. Pure. */
export function judgeLedger({ size, knownSize, pending, checkpointAgeMs }: LedgerFacts): Diagnosis {
  const name = "ledger";
  const detail = `${size} entries, checkpoint ${formatSpan(checkpointAgeMs)} old, ${pending} wait to enter it; never witnessed`;
  if (size < knownSize) {
    const text = `${detail}; the database knows of ${knownSize}, so the folder is an older copy`;
    return {
      name,
      state: "failed",
      detail: text,
      hint: "Restore ledger/ and the database together from one backup.",
    };
  }
  if (pending >= manyPending) {
    const hint =
      "See with `homeostat parts` whether the publisher runs; start a gateway with `homeostat up`.";
    return { name, state: "warning", detail, hint };
  }
  return { name, state: "ok", detail };
}
