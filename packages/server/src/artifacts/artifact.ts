/** An artifact: a file a run made, with digest, origin and history; one row per run and path, the record in the journal. */
import { z } from "zod";
import type { Migration, Row, Statement } from "../store/store.ts";

const artifactVersion = 1;

export type ArtifactStatus = "active" | "archived" | "quarantined";

/** What the outcome that wrote the file records in the journal; the row is its projection and nothing more. */
export interface ArtifactRecord {
  readonly id: string;
  /** Relative to the workspace. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** 1 for the first content, one more for each other content. */
  readonly version: number;
  readonly change: "created" | "modified" | "archived";
  /** What the path held before, also when that was a file handed in with the task. */
  readonly previousSha256: string | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly mediaType: string;
  /** The step that made the first content. */
  readonly step: string;
  readonly creator: string;
  readonly createdAtMs: number;
  readonly modifiedBy: string;
  readonly modifiedAtMs: number;
  /** What the last change was, in words. */
  readonly modification: string;
}

/** The part of a record every journal holds; what is missing in it is unknown. */
export type KnownArtifact = Pick<
  ArtifactRecord,
  "id" | "path" | "sha256" | "sizeBytes" | "version" | "change"
> &
  Partial<ArtifactRecord>;

export interface Artifact extends Omit<ArtifactRecord, "change"> {
  readonly v: number;
  readonly tenant: string;
  readonly labels: readonly string[];
  readonly runId: string;
  readonly filename: string;
  readonly status: ArtifactStatus;
  /** The configured supervisor's id, once supervision is activated. */
  readonly supervisor: string | null;
}

export const artifactsMigration: Migration = {
  id: "0140-artifacts",
  statements: () => [
    `CREATE TABLE artifacts (
      id TEXT PRIMARY KEY,
      v INTEGER NOT NULL,
      tenant TEXT NOT NULL,
      labels TEXT NOT NULL,
      run_id TEXT NOT NULL,
      step TEXT NOT NULL,
      path TEXT NOT NULL,
      filename TEXT NOT NULL,
      title TEXT,
      description TEXT,
      media_type TEXT NOT NULL,
      size_bytes BIGINT NOT NULL,
      sha256 TEXT NOT NULL,
      previous_sha256 TEXT,
      version INTEGER NOT NULL,
      status TEXT NOT NULL,
      creator TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      modified_by TEXT NOT NULL,
      modified_at_ms BIGINT NOT NULL,
      modification TEXT NOT NULL,
      supervisor TEXT,
      blob_subject TEXT NOT NULL
    )`,
    "CREATE UNIQUE INDEX artifacts_path ON artifacts (run_id, path)",
    "CREATE INDEX artifacts_tenant ON artifacts (tenant, id)",
  ],
};

/** The artifact a record stands for, in the run and tenant it belongs to. */
export function artifactOf(
  record: ArtifactRecord,
  origin: { readonly runId: string; readonly tenant: string; readonly labels: readonly string[] },
): Artifact {
  const { change, ...rest } = record;
  return {
    ...rest,
    // Named one by one: callers hand in larger objects.
    runId: origin.runId,
    tenant: origin.tenant,
    labels: origin.labels,
    v: artifactVersion,
    filename: record.path.slice(record.path.lastIndexOf("/") + 1),
    status: change === "archived" ? "archived" : "active",
    supervisor: null,
  };
}

/** Every column with its value, in the order of the table. */
export function columnsOf(artifact: Artifact): Readonly<Record<string, string | number | null>> {
  return {
    id: artifact.id,
    v: artifact.v,
    tenant: artifact.tenant,
    labels: JSON.stringify(artifact.labels),
    run_id: artifact.runId,
    step: artifact.step,
    path: artifact.path,
    filename: artifact.filename,
    title: artifact.title,
    description: artifact.description,
    media_type: artifact.mediaType,
    size_bytes: artifact.sizeBytes,
    sha256: artifact.sha256,
    previous_sha256: artifact.previousSha256,
    version: artifact.version,
    status: artifact.status,
    creator: artifact.creator,
    created_at_ms: artifact.createdAtMs,
    modified_by: artifact.modifiedBy,
    modified_at_ms: artifact.modifiedAtMs,
    modification: artifact.modification,
    supervisor: artifact.supervisor,
    blob_subject: artifact.runId,
  };
}

/** Inserts or replaces the row; a changed id for a known path would be a fault, and touches no row then. */
export function saveArtifact(artifact: Artifact): Statement {
  const columns = columnsOf(artifact);
  const names = Object.keys(columns);
  const updates = names.filter((name) => name !== "id").map((name) => `${name} = excluded.${name}`);
  return {
    sql:
      `INSERT INTO artifacts (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")}) ` +
      `ON CONFLICT (id) DO UPDATE SET ${updates.join(", ")}`,
    params: Object.values(columns),
    expect: { rows: 1, guard: "artifact" },
  };
}

/** Proof of the casts: the columns were written by `saveArtifact` and are NOT NULL where no null is named. */
export function artifactFromStore(row: Row): Artifact {
  const text = (name: string): string => row[name] as string;
  const optional = (name: string): string | null => row[name] as string | null;
  const number = (name: string): number => row[name] as number;
  return {
    id: text("id"),
    v: number("v"),
    tenant: text("tenant"),
    labels: JSON.parse(text("labels")) as string[],
    runId: text("run_id"),
    step: text("step"),
    path: text("path"),
    filename: text("filename"),
    title: optional("title"),
    description: optional("description"),
    mediaType: text("media_type"),
    sizeBytes: number("size_bytes"),
    sha256: text("sha256"),
    previousSha256: optional("previous_sha256"),
    version: number("version"),
    status: text("status") as ArtifactStatus,
    creator: text("creator"),
    createdAtMs: number("created_at_ms"),
    modifiedBy: text("modified_by"),
    modifiedAtMs: number("modified_at_ms"),
    modification: text("modification"),
    supervisor: optional("supervisor"),
  };
}

const artifactShape = z.object({
  id: z.string(),
  runId: z.string(),
  step: z.string(),
  path: z.string(),
  filename: z.string(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  mediaType: z.string(),
  sizeBytes: z.number().int(),
  sha256: z.string(),
  previousSha256: z.string().nullable(),
  version: z.number().int(),
  status: z.enum(["active", "archived", "quarantined"]),
  creator: z.string(),
  createdAt: z.string().describe("ISO 8601, UTC"),
  modifiedAt: z.string().describe("ISO 8601, UTC"),
  modifiedBy: z.string(),
  modification: z.string().describe("What the last change was"),
});

export interface ArtifactView {
  id: string;
  runId: string;
  step: string;
  path: string;
  filename: string;
  title: string | null;
  description: string | null;
  mediaType: string;
  sizeBytes: number;
  sha256: string;
  previousSha256: string | null;
  version: number;
  status: ArtifactStatus;
  creator: string;
  createdAt: string;
  modifiedAt: string;
  modifiedBy: string;
  modification: string;
}

/** An artifact as the API shows it. */
export const artifactSchema: z.ZodType<ArtifactView> = artifactShape.meta({ id: "Artifact" });

export function viewArtifact(artifact: Artifact): ArtifactView {
  const {
    v: _v,
    tenant: _tenant,
    labels: _labels,
    supervisor: _supervisor,
    createdAtMs,
    modifiedAtMs,
    ...rest
  } = artifact;
  return {
    ...rest,
    createdAt: new Date(createdAtMs).toISOString(),
    modifiedAt: new Date(modifiedAtMs).toISOString(),
  };
}
