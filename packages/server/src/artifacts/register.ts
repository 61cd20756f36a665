/** What a change of a workspace means for the artifacts: records for the journal, rows, and ledger entries. Pure. */
import { commit } from "../base/digest.ts";
import type { LedgerEntry } from "../base/ledger-entry.ts";
import { outboxInsert } from "../store/outbox.ts";
import type { Statement } from "../store/store.ts";
import { artifactOf, saveArtifact } from "./artifact.ts";
import type { ArtifactRecord, KnownArtifact } from "./artifact.ts";
import { mediaTypeOf } from "./media-type.ts";

export interface FileContent {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** The files of a workspace by path. */
export interface FileSet {
  readonly files: Readonly<Record<string, FileContent>>;
}

/** What `artifact.register` wants recorded with a file. */
export interface Note {
  readonly path: string;
  readonly title: string;
  readonly description?: string;
}

export interface WorkspaceChange {
  readonly runId: string;
  readonly tenant: string;
  readonly step: string;
  /** Who acts, for example `workflow:brand-audit`. */
  readonly creator: string;
  readonly atMs: number;
  readonly labels: readonly string[];
  readonly previous: FileSet;
  readonly next: FileSet;
  readonly notes: readonly Note[];
  /** The run's artifacts so far by path, archived ones too. */
  readonly known: ReadonlyMap<string, KnownArtifact>;
}

/** Randomness: a fresh artifact id (`art_...`), a fresh salt of 32 hex digits. */
export interface PlanDeps {
  readonly createId: () => string;
  readonly createSalt: () => string;
}

export interface ArtifactPlan {
  /** Sorted by path; empty when nothing that concerns artifacts changed. */
  readonly records: readonly ArtifactRecord[];
  /** Belong into the batch of the step's outcome: rows and what proves them appear together or not at all. */
  readonly statements: readonly Statement[];
}

/**
 * New and changed files become artifacts; files handed in with the task do when a step changes them or a note names
 * them; deleted artifacts are archived. A note about a file that is not there is dropped: the step's outcome tells it.
 */
export function planArtifacts(change: WorkspaceChange, deps: PlanDeps): ArtifactPlan {
  const notes = new Map(change.notes.map((note) => [note.path, note]));
  const paths = new Set([...Object.keys(change.next.files), ...change.known.keys()]);
  const records = [...paths]
    .sort()
    .map((path) => recordOf(path, change, notes.get(path), deps))
    .filter((record) => record !== undefined);
  const statements = records.flatMap((record) => [
    saveArtifact(artifactOf(record, change)),
    entryInsert(record, change, deps.createSalt()),
  ]);
  return { records, statements };
}

/** The record after the change, or undefined when nothing about the path is new. */
function recordOf(
  path: string,
  change: WorkspaceChange,
  note: Note | undefined,
  deps: PlanDeps,
): ArtifactRecord | undefined {
  const before = own(change.previous.files, path);
  const after = own(change.next.files, path);
  const known = change.known.get(path);
  const isActive = known !== undefined && known.change !== "archived";
  if (after === undefined) return isActive ? archived(fullRecord(known, change), change) : undefined;
  const isNew = after.sha256 !== (isActive ? known.sha256 : before?.sha256);
  if (!isNew && note === undefined) return undefined;
  const noted = note === undefined ? {} : { title: note.title, description: note.description ?? null };
  if (known === undefined) {
    return { ...created(path, after, before, change), ...noted, id: deps.createId() };
  }
  const record = { ...fullRecord(known, change), ...noted, ...touched(change) };
  if (!isNew) {
    // Only the note is new, unless the file came back after it was archived.
    const modification = isActive ? `described by step ${change.step}` : `registered by step ${change.step}`;
    return { ...record, change: "modified", modification };
  }
  return {
    ...record,
    sha256: after.sha256,
    sizeBytes: after.sizeBytes,
    version: known.version + 1,
    change: "modified",
    previousSha256: known.sha256,
    modification: `${isActive ? "changed" : "written again"} by step ${change.step}`,
  };
}

function created(
  path: string,
  after: FileContent,
  before: FileContent | undefined,
  change: WorkspaceChange,
): Omit<ArtifactRecord, "id"> {
  const isHandedIn = before !== undefined && before.sha256 === after.sha256;
  return {
    path,
    sha256: after.sha256,
    sizeBytes: after.sizeBytes,
    version: 1,
    change: "created",
    previousSha256: isHandedIn ? null : (before?.sha256 ?? null),
    title: null,
    description: null,
    mediaType: mediaTypeOf(path),
    step: change.step,
    creator: change.creator,
    createdAtMs: change.atMs,
    ...touched(change),
    modification: isHandedIn ? `registered by step ${change.step}` : `written by step ${change.step}`,
  };
}

function archived(record: ArtifactRecord, change: WorkspaceChange): ArtifactRecord {
  return {
    ...record,
    ...touched(change),
    change: "archived",
    modification: `deleted by step ${change.step}`,
  };
}

function touched(change: WorkspaceChange): Pick<ArtifactRecord, "modifiedBy" | "modifiedAtMs"> {
  return { modifiedBy: change.creator, modifiedAtMs: change.atMs };
}

/** A record as older journals may hold it, completed with what can be said without guessing. */
function fullRecord(known: KnownArtifact, change: WorkspaceChange): ArtifactRecord {
  return {
    previousSha256: null,
    title: null,
    description: null,
    mediaType: mediaTypeOf(known.path),
    step: change.step,
    creator: change.creator,
    createdAtMs: change.atMs,
    ...touched(change),
    modification: "",
    ...known,
  };
}

const entryTypes = {
  created: "artifact_created",
  modified: "artifact_modified",
  archived: "artifact_archived",
} as const;

/** Names of files may be personal: the ledger holds a salted commitment of the path. */
function entryInsert(record: ArtifactRecord, change: WorkspaceChange, salt: string): Statement {
  // A path changes at most once per step, so this names the fact.
  const key = `artifact/${record.id}/${record.version}/${change.step}`;
  const entry: LedgerEntry = {
    v: 1,
    key,
    at: new Date(change.atMs).toISOString(),
    type: entryTypes[record.change],
    tenant: change.tenant,
    actor: { kind: "agent", id: change.creator },
    labels: change.labels,
    salt,
    blob: { subject: change.runId, sha256: record.sha256, sizeBytes: record.sizeBytes },
    data: {
      artifact: record.id,
      run: change.runId,
      step: change.step,
      pathCommitment: commit(salt, record.path),
      sha256: record.sha256,
      previousSha256: record.previousSha256,
      sizeBytes: record.sizeBytes,
      version: record.version,
      mediaType: record.mediaType,
    },
  };
  return outboxInsert(key, entry);
}

/** A workspace file may be called `constructor`. */
function own(files: FileSet["files"], path: string): FileContent | undefined {
  return Object.hasOwn(files, path) ? files[path] : undefined;
}
