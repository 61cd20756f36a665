/** What `doctor` says of the ledger: its signed head, what waits to enter it, and whether anybody else has seen it. */
import { existsSync, statSync } from "node:fs";
import { systemClock as clock } from "../base/clock.ts";
import type { Config } from "../config-schema.ts";
import { homeAt } from "../home.ts";
import { createLedgerReader } from "../ledger/reader.ts";
import { checkpointPath } from "../ledger/recover.ts";
import { openStateReader } from "../system-store.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { formatSpan } from "./format-time.ts";

export interface LedgerFacts {
  readonly size: number;
  /** Size that the database believes is published. */
  readonly knownSize: number;
  readonly pending: number;
  readonly checkpointAgeMs: number;
}

/** Only the head is read and its signature checked: `homeostat verify` reads everything. */
export async function checkLedger(config: Config): Promise<Diagnosis> {
  const { ledger } = homeAt(config.home);
  const path = checkpointPath(ledger);
  if (!existsSync(path)) {
    const detail = config.role === "worker" ? "on the gateways' machines" : "will be made by `homeostat up`";
    return { name: "ledger", state: "ok", detail };
  }
  try {
    const { size } = createLedgerReader(ledger).head();
    const checkpointAgeMs = Math.max(0, clock.now() - statSync(path).mtimeMs);
    return judgeLedger({ size, checkpointAgeMs, ...(await readDatabase(config)) });
  } catch (error) {
    return failed("ledger", error);
  }
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
