/** What is left when everything was broken and has recovered: database, ledger and the bank's records, read once for all checks. */
import { errorMessage } from "../../packages/server/src/base/error.ts";
import { openFolderBlobsReader } from "../../packages/server/src/blobs/folder.ts";
import { homeAt } from "../../packages/server/src/home/home.ts";
import type { VerifyReport } from "../../packages/server/src/ledger/verify-report.ts";
import type { EventBody } from "../../packages/server/src/runs/journal/event.ts";
import { fold, initialState } from "../../packages/server/src/runs/journal/fold.ts";
import type { RunState } from "../../packages/server/src/runs/journal/fold.ts";
import { emptyHead, readJournal } from "../../packages/server/src/runs/journal/journal.ts";
import type { StoreReader } from "../../packages/server/src/store/store.ts";
import type { Row } from "../../packages/server/src/store/store.ts";
import { verifyHome } from "../../packages/server/src/home/verify-home.ts";
import type { FakeBank } from "./fake-bank.ts";

/** A word of a person that the API took with a success. */
export interface Acknowledged {
  readonly runId: string;
  readonly word: "approve" | "reject" | "cancel";
  /** Of an answer. */
  readonly approvalId: string | null;
}

export interface Expectation {
  /** Run ids by the key of every submission that was acknowledged. */
  readonly submitted: ReadonlyMap<string, string>;
  /** How runs may end. */
  readonly ends: readonly string[];
  /** Answers and cancels that the API took with a success. */
  readonly acknowledged?: readonly Acknowledged[];
}

export interface Evidence extends Expectation {
  readonly reader: StoreReader;
  readonly runs: readonly Row[];
  readonly journals: ReadonlyMap<string, FoldedJournal>;
  /** Statuses by id. */
  readonly approvals: ReadonlyMap<string, string>;
  readonly bank: Pick<FakeBank, "charges" | "bodies">;
  readonly report: VerifyReport;
}

/** `events` ends where it could no longer be read or folded, and `state` is then why. */
export interface FoldedJournal {
  readonly events: readonly EventBody[];
  readonly state: RunState | string;
}

export interface Invariant {
  /** What holds, as a sentence. */
  readonly name: string;
  /** Where it does not. */
  readonly find: (evidence: Evidence) => readonly string[] | Promise<readonly string[]>;
}

export interface EvidencePlace {
  readonly home: string;
  readonly reader: StoreReader;
  readonly bank: Pick<FakeBank, "charges" | "bodies">;
}

/** Nothing may be at work any more, and everything be published. */
export async function gatherEvidence(place: EvidencePlace, expectation: Expectation): Promise<Evidence> {
  const { reader, bank } = place;
  const home = homeAt(place.home);
  const blobs = await openFolderBlobsReader({ folder: home.blobs, keysFolder: home.keys, store: reader });
  const runs = await reader.read("SELECT id, state, error, parent, head_seq, head_digest FROM runs");
  const journals = new Map<string, FoldedJournal>();
  for (const row of runs) {
    const runId = String(row["id"]);
    const readText = async (subject: string, sha256: string, sizeBytes: number): Promise<string> =>
      (await blobs.get({ subject, sha256, sizeBytes })).toString("utf8");
    journals.set(runId, await foldJournal(reader, readText, runId));
  }
  const approvals = await reader.read("SELECT id, status FROM approvals");
  return {
    ...expectation,
    ...{ reader, runs, journals, bank },
    approvals: new Map(approvals.map((row) => [String(row["id"]), String(row["status"])])),
    report: await verifyHome({ home, store: reader, blobs, runId: null }),
  };
}

async function foldJournal(
  reader: StoreReader,
  readText: Parameters<typeof readJournal>[1],
  runId: string,
): Promise<FoldedJournal> {
  const events: EventBody[] = [];
  let state = initialState(runId, emptyHead(runId).digest);
  try {
    for await (const event of readJournal(reader, readText, runId)) {
      state = fold(state, event);
      events.push(event.body);
    }
    return { events, state };
  } catch (error) {
    return { events, state: errorMessage(error) };
  }
}
