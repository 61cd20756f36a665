/** Checks artifacts: rows against the journal, stored contents and workspace copies against the recorded digest. */
import type { Row, Store } from "../store/store.ts";
import { artifactFromStore, artifactOf, columnsOf } from "./artifact.ts";
import type { Artifact, ArtifactRecord, KnownArtifact } from "./artifact.ts";

export interface ArtifactFinding {
  readonly what: string;
  readonly where: string;
  readonly detail: string;
}

/** What was found where a file should be; `erased` was deleted on purpose, `absent-place` has no folder to look in. */
export type FoundContent =
  | { readonly kind: "content"; readonly sha256: string }
  | { readonly kind: "missing" }
  | { readonly kind: "erased" }
  | { readonly kind: "absent-place" }
  | { readonly kind: "unreadable"; readonly detail: string };

export interface VerifyArtifactsDeps {
  readonly store: Pick<Store, "scan">;
  /** One run, or all when null. */
  readonly runId: string | null;
  /** What the journals say, by run and path; a run whose journal cannot be read is absent and its rows are not compared. */
  readonly recorded: ReadonlyMap<string, ReadonlyMap<string, KnownArtifact>>;
  /** Decrypts the stored content and digests it. Must not throw. */
  readonly findStored: (artifact: Artifact) => Promise<FoundContent>;
  /** Digests the file in the run's workspace; `absent-place` when the folder was cleaned away. Must not throw. */
  readonly findWorkspaceCopy: (artifact: Artifact) => Promise<FoundContent>;
}

export interface ArtifactsVerdict {
  readonly artifacts: number;
  /** Of active artifacts: content as recorded, other content, no content. */
  readonly counts: {
    readonly OK: number;
    readonly MODIFIED: number;
    readonly MISSING: number;
    readonly ERASED: number;
  };
  readonly findings: readonly ArtifactFinding[];
}

type Judgement = keyof ArtifactsVerdict["counts"];

/** Reads rows in pages; at most two contents are looked at per artifact. */
export async function verifyArtifacts(deps: VerifyArtifactsDeps): Promise<ArtifactsVerdict> {
  const findings: ArtifactFinding[] = [];
  const counts = { OK: 0, MODIFIED: 0, MISSING: 0, ERASED: 0 };
  const unseen = new Map([...deps.recorded].map(([runId, records]) => [runId, new Map(records)]));
  let artifacts = 0;
  for await (const row of scanRows(deps)) {
    const artifact = artifactFromStore(row);
    artifacts += 1;
    const records = deps.recorded.get(artifact.runId);
    if (records !== undefined) findings.push(...compareRow(row, artifact, records.get(artifact.path)));
    unseen.get(artifact.runId)?.delete(artifact.path);
    if (artifact.status !== "active") continue;
    const found = await checkContents(artifact, deps);
    findings.push(...found.findings);
    counts[found.judgement] += 1;
  }
  for (const [runId, records] of unseen) {
    for (const record of records.values()) findings.push(missingRow(runId, record));
  }
  return { artifacts, counts, findings };
}

function scanRows({ store, runId }: VerifyArtifactsDeps): ReturnType<Store["scan"]> {
  if (runId === null) return store.scan("SELECT * FROM artifacts ORDER BY id");
  return store.scan("SELECT * FROM artifacts WHERE run_id = ? ORDER BY id", [runId]);
}

/** The row must be exactly the projection of the journal's last record about its path; the journal names no tenant. */
function compareRow(
  row: Row,
  artifact: Artifact,
  record: KnownArtifact | undefined,
): readonly ArtifactFinding[] {
  const where = `state.db, table artifacts, id ${artifact.id}`;
  if (record === undefined) {
    return [
      { what: "artifact unknown", where, detail: `the journal of ${artifact.runId} made no such artifact` },
    ];
  }
  const wanted = columnsOf(artifactOf({ ...artifact, ...record } as ArtifactRecord, artifact));
  return Object.entries(wanted)
    .filter(([name, value]) => row[name] !== value)
    .map(([name, value]) => ({
      what: "artifact row changed",
      where: `${where}, column ${name}`,
      detail: `the row says ${String(row[name])}, the journal says ${String(value)}`,
    }));
}

function missingRow(runId: string, record: KnownArtifact): ArtifactFinding {
  return {
    what: "artifact row missing",
    where: `state.db, table artifacts, id ${record.id}`,
    detail: `the journal of ${runId} recorded ${record.path}, the table has no such row`,
  };
}

async function checkContents(
  artifact: Artifact,
  deps: VerifyArtifactsDeps,
): Promise<{ readonly judgement: Judgement; readonly findings: readonly ArtifactFinding[] }> {
  const stored = judge(await deps.findStored(artifact), artifact);
  const copy = judge(await deps.findWorkspaceCopy(artifact), artifact);
  const findings = [
    ...findingOf(stored, artifact, "the stored content"),
    ...findingOf(copy, artifact, "the file in the workspace"),
  ];
  const judgements = [stored.judgement, copy.judgement];
  const worst =
    (["MISSING", "MODIFIED", "ERASED"] as const).find((each) => judgements.includes(each)) ?? "OK";
  return { judgement: worst, findings };
}

interface Judged {
  /** Undefined where there was no place to look in. */
  readonly judgement: Judgement | undefined;
  readonly detail: string;
}

function judge(found: FoundContent, artifact: Artifact): Judged {
  switch (found.kind) {
    case "content":
      return found.sha256 === artifact.sha256
        ? { judgement: "OK", detail: "" }
        : { judgement: "MODIFIED", detail: `has digest ${found.sha256}, recorded is ${artifact.sha256}` };
    case "missing":
      return { judgement: "MISSING", detail: "is gone" };
    case "unreadable":
      return { judgement: "MODIFIED", detail: `cannot be read: ${found.detail}` };
    case "erased":
      return { judgement: "ERASED", detail: "" };
    case "absent-place":
      return { judgement: undefined, detail: "" };
  }
}

function findingOf(judged: Judged, artifact: Artifact, what: string): readonly ArtifactFinding[] {
  if (judged.judgement !== "MODIFIED" && judged.judgement !== "MISSING") return [];
  return [
    {
      what: `artifact ${judged.judgement}`,
      where: `${artifact.path} of ${artifact.runId} (${artifact.id})`,
      detail: `${what} ${judged.detail}`,
    },
  ];
}
