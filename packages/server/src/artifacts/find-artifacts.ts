/** Reads artifacts: one by id, pages newest first, all of a run. */
import { HomeostatError } from "../base/error.ts";
import type { Store } from "../store/store.ts";
import { artifactFromStore } from "./artifact.ts";
import type { Artifact } from "./artifact.ts";

export interface ArtifactQuery {
  readonly tenant: string;
  readonly runId?: string;
  /** Only artifacts made before this one; ids sort by time. */
  readonly beforeId?: string;
  readonly limit: number;
}

export async function listArtifacts(
  store: Pick<Store, "read">,
  query: ArtifactQuery,
): Promise<readonly Artifact[]> {
  const conditions = ["tenant = ?"];
  const params: (string | number)[] = [query.tenant];
  if (query.runId !== undefined) {
    conditions.push("run_id = ?");
    params.push(query.runId);
  }
  if (query.beforeId !== undefined) {
    conditions.push("id < ?");
    params.push(query.beforeId);
  }
  const sql = `SELECT * FROM artifacts WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ?`;
  return (await store.read(sql, [...params, query.limit])).map(artifactFromStore);
}

/** All of a run, in the order they were made. Bounded by what a run may make. */
export async function artifactsOfRun(
  store: Pick<Store, "read">,
  runId: string,
): Promise<readonly Artifact[]> {
  const rows = await store.read("SELECT * FROM artifacts WHERE run_id = ? ORDER BY id", [runId]);
  return rows.map(artifactFromStore);
}

/** Throws ARTIFACT_NOT_FOUND, also for an artifact of another tenant. */
export async function requireArtifact(
  store: Pick<Store, "read">,
  tenant: string,
  id: string,
): Promise<Artifact> {
  const [row] = await store.read("SELECT * FROM artifacts WHERE id = ? AND tenant = ?", [id, tenant]);
  if (row !== undefined) return artifactFromStore(row);
  throw new HomeostatError("ARTIFACT_NOT_FOUND", `There is no artifact ${id}`, { artifact: id });
}
