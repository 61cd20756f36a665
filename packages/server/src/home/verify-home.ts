/** Proves a data folder: the ledger, every run against it, every artifact against its run. Needs no server. */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { join } from "node:path";
import type { Artifact } from "../artifacts/artifact.ts";
import { verifyArtifacts } from "../artifacts/verify-artifacts.ts";
import type { FoundContent } from "../artifacts/verify-artifacts.ts";
import { systemClock as clock } from "../base/clock.ts";
import { HomeostatError, errorMessage, isHomeostatError } from "../base/error.ts";
import { sha256 } from "../base/digest.ts";
import type { BlobStore } from "../blobs/blob.ts";
import type { Home } from "./home.ts";
import type { VerifyReport } from "../ledger/verify-report.ts";
import { verifyHistory } from "../ledger/verify-history.ts";
import type { RunProof } from "../ledger/verify-history.ts";
import { verifyRuns } from "../runs/proof/verify-runs.ts";
import type { VerifyFinding } from "../runs/proof/verify-runs.ts";
import { erasedType } from "../retention/erasure.ts";
import type { Store } from "../store/store.ts";

export interface VerifyHomeDeps {
  readonly home: Pick<Home, "keys" | "ledger" | "earlierLedgers" | "workspaces">;
  /** Reading only. */
  readonly store: Pick<Store, "read" | "scan">;
  readonly blobs: Pick<BlobStore, "get">;
  /** One run, or everything when null. */
  readonly runId: string | null;
  /** The verifier key as known from elsewhere, when there is one. */
  readonly verifierKey?: string;
  /** True for a backup: the ledger was copied after the database, so it may tell of events that came later. */
  readonly isDatabaseOlder?: boolean;
  readonly onProgress?: (text: string) => void;
}

/**
 * Throws RUN_NOT_FOUND for a run that neither database nor ledger knows. Everything that is wrong is a finding with its
 * place, never an exception.
 */
export async function verifyHome(deps: VerifyHomeDeps): Promise<VerifyReport> {
  const startMs = clock.monotonic();
  const { home, store, runId } = deps;
  // Read before the ledger, which only grows: what the database calls published must then be in it.
  const knownSize = await publishedSize(store);
  const proofs = createProofs(runId);
  const ledger = await verifyHistory({
    ledgerFolder: home.ledger,
    earlierFolder: home.earlierLedgers,
    // A backup has its keys, if any, in a sealed box.
    ...(deps.isDatabaseOlder === true ? { databaseKnows: knownSize } : { keysFolder: home.keys }),
    knownSize,
    ...(deps.verifierKey === undefined ? {} : { verifierKey: deps.verifierKey }),
    onlyContaining: runId === null ? '"run":{' : runId,
    onProof: proofs.add,
    onProgress: ({ entries, size }) => deps.onProgress?.(`ledger: ${entries} of ${size} entries`),
  });
  const { heads, laterHeads, erased } = proofs;
  const runs = await verifyRuns({ store, blobs: deps.blobs, heads, laterHeads, erased, runId });
  if (runId !== null && runs.runs === 0 && heads.size === 0) {
    throw new HomeostatError("RUN_NOT_FOUND", `There is no run ${runId}`, { run: runId });
  }
  const artifacts = await verifyArtifacts({
    store,
    runId,
    recorded: new Map(runs.states.map((state) => [state.id, state.artifacts])),
    findStored: (artifact) => findStored(deps.blobs, artifact),
    findWorkspaceCopy: (artifact) => findWorkspaceCopy(home, artifact),
  });
  const findings: VerifyFinding[] = [...ledger.findings, ...runs.findings, ...artifacts.findings];
  const pending = await countPending(store, runId, runs.pending);
  const { OK, MODIFIED, MISSING, ERASED } = artifacts.counts;
  const report = {
    size: ledger.size,
    root: ledger.root,
    pending,
    erased: runs.erased,
    witnessedTo: null,
    checks: [
      ...ledger.checks,
      {
        name: "runs against the ledger",
        ok: runs.findings.length === 0,
        count: runs.events,
        detail: `${runs.runs} runs, ${runs.events} events`,
      },
      {
        name: "artifacts",
        ok: artifacts.findings.length === 0,
        count: artifacts.artifacts,
        detail: `${OK} as recorded, ${MODIFIED} modified, ${MISSING} missing, ${ERASED} erased`,
      },
    ],
    findings,
    durationMs: Math.round(clock.monotonic() - startMs),
  };
  return {
    verdict: findings.length === 0 ? "intact" : "broken",
    text: verdictText(report, { runId, restoredFrom: ledger.restorations[0]?.backedUpAt }),
    ...report,
  };
}

interface Proofs {
  readonly add: (proof: RunProof, isLater: boolean) => void;
  readonly heads: Map<string, Map<number, string>>;
  readonly laterHeads: Map<string, Map<number, string>>;
  /** Runs of which the ledger says that they were erased. */
  readonly erased: Set<string>;
}

/** Proofs by run and event; of one event the last counts, because a run may have gone another way after a restore. */
function createProofs(runId: string | null): Proofs {
  const heads: Proofs["heads"] = new Map();
  const laterHeads: Proofs["laterHeads"] = new Map();
  const erased = new Set<string>();
  return {
    heads,
    laterHeads,
    erased,
    add(proof, isLater) {
      if (runId !== null && proof.id !== runId) return;
      if (proof.type === erasedType) erased.add(proof.id);
      const into = isLater ? laterHeads : heads;
      const known = into.get(proof.id) ?? new Map<number, string>();
      into.set(proof.id, known.set(proof.seq, proof.digest));
    },
  };
}

type Report = Omit<VerifyReport, "verdict" | "text">;

/** The words are DESIGN's: intact; never witnessed, pending n, erased n, broken at X. */
function verdictText(
  report: Report,
  { runId, restoredFrom }: { readonly runId: string | null; readonly restoredFrom: string | undefined },
): string {
  const what = runId === null ? "ledger" : `run ${runId}`;
  const [first] = report.findings;
  if (first !== undefined) {
    const more = report.findings.length > 1 ? ` (and ${report.findings.length - 1} more)` : "";
    return `${what}: broken at ${first.where}: ${first.what}: ${first.detail}${more}`;
  }
  const witness = report.witnessedTo === null ? "never witnessed" : `witnessed up to ${report.witnessedTo}`;
  const pending = report.pending > 0 ? `; pending ${report.pending}` : "";
  const erased = report.erased > 0 ? `; erased ${report.erased}` : "";
  const restored = restoredFrom === undefined ? "" : `; restored from the backup of ${restoredFrom}`;
  return `${what}: intact; ${witness}${pending}${erased}${restored}`;
}

async function publishedSize(store: Pick<Store, "read">): Promise<number> {
  const [row] = await store.read("SELECT size FROM ledger_position");
  return (row?.["size"] as number | undefined) ?? 0;
}

async function countPending(
  store: Pick<Store, "read">,
  runId: string | null,
  ofRun: number,
): Promise<number> {
  if (runId !== null) return ofRun;
  const [row] = await store.read("SELECT COUNT(*) AS n FROM ledger_outbox");
  return (row?.["n"] as number | undefined) ?? 0;
}

async function findStored(blobs: Pick<BlobStore, "get">, artifact: Artifact): Promise<FoundContent> {
  try {
    const { runId: subject, sha256: digest, sizeBytes } = artifact;
    return { kind: "content", sha256: sha256(await blobs.get({ subject, sha256: digest, sizeBytes })) };
  } catch (error) {
    if (isHomeostatError(error, "BLOB_ERASED")) return { kind: "erased" };
    if (isHomeostatError(error, "BLOB_NOT_FOUND")) return { kind: "missing" };
    return { kind: "unreadable", detail: errorMessage(error) };
  }
}

async function findWorkspaceCopy(home: Pick<Home, "workspaces">, artifact: Artifact): Promise<FoundContent> {
  const folder = join(home.workspaces, artifact.runId);
  const isThere = await lstat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) return { kind: "absent-place" };
  const path = join(folder, artifact.path);
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "missing" };
    return { kind: "unreadable", detail: errorMessage(error) };
  }
  try {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return { kind: "content", sha256: hash.digest("hex") };
  } catch (error) {
    return { kind: "unreadable", detail: errorMessage(error) };
  }
}
