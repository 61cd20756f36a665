/** GET /v1/artifacts, /v1/artifacts/{id} and its content. */
import { z } from "zod";
import { pageOf, pageQuery, parseCursor, toPage } from "../http/page.ts";
import { route } from "../http/route.ts";
import type { BytesAnswer, Route } from "../http/route.ts";
import type { Store } from "../store/store.ts";
import { artifactSchema, viewArtifact } from "./artifact.ts";
import type { Artifact } from "./artifact.ts";
import { listArtifacts, requireArtifact } from "./find-artifacts.ts";
import { mayShowInline, mediaTypeOf, unknownMediaType } from "./media-type.ts";

export interface ArtifactRoutesDeps {
  readonly store: Pick<Store, "read" | "recent">;
  /** The decrypted content. Throws BLOB_NOT_FOUND, BLOB_CORRUPT, BLOB_ERASED. */
  readonly readContent: (artifact: Artifact) => Promise<Uint8Array>;
}

const cursorKey = z.tuple([z.string()]);

export function createArtifactRoutes(deps: ArtifactRoutesDeps): readonly Route[] {
  return [listRoute(deps), getRoute(deps), contentRoute(deps)];
}

function listRoute({ store }: ArtifactRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/artifacts",
    operationId: "artifacts.list",
    summary: "Artifacts, newest first",
    tags: ["artifacts"],
    access: "viewer",
    query: z.strictObject({ ...pageQuery, run: z.string().optional().describe("Only those of this run") }),
    response: pageOf(artifactSchema),
    handle: async ({ query, principal }) => {
      const found = await listArtifacts(store.recent, {
        tenant: principal.tenant,
        limit: query.limit + 1,
        ...(query.run === undefined ? {} : { runId: query.run }),
        ...(query.cursor === undefined ? {} : { beforeId: parseCursor(query.cursor, cursorKey)[0] }),
      });
      const page = toPage(found, query.limit, (artifact) => [artifact.id]);
      return { ...page, data: page.data.map(viewArtifact) };
    },
  });
}

function getRoute({ store }: ArtifactRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/artifacts/{id}",
    operationId: "artifacts.get",
    summary: "One artifact",
    tags: ["artifacts"],
    access: "viewer",
    params: z.object({ id: z.string() }),
    response: artifactSchema,
    handle: async ({ params, principal }) =>
      viewArtifact(await requireArtifact(store, principal.tenant, params.id)),
  });
}

function contentRoute({ store, readContent }: ArtifactRoutesDeps): Route {
  return route({
    method: "GET",
    path: "/v1/artifacts/{id}/content",
    operationId: "artifacts.content",
    summary: "The bytes of an artifact",
    description: "As a download; `?inline=1` shows images, PDF and text in the browser, sandboxed.",
    tags: ["artifacts"],
    access: "viewer",
    params: z.object({ id: z.string() }),
    query: z.strictObject({ inline: z.stringbool().default(false).describe("Show instead of download") }),
    response: "bytes",
    handle: async ({ params, query, principal }) => {
      const artifact = await requireArtifact(store, principal.tenant, params.id);
      return contentAnswer(artifact, await readContent(artifact), query.inline);
    },
  });
}

/** A file made by an agent is untrusted: it never runs in the dashboard's origin, whatever it holds. */
function contentAnswer(artifact: Artifact, body: Uint8Array, wantsInline: boolean): BytesAnswer {
  const mediaType = mediaTypeOf(artifact.path, body.subarray(0, 16));
  const isInline = wantsInline && mayShowInline(mediaType);
  const isText = mediaType.startsWith("text/") || mediaType === "image/svg+xml";
  return {
    body,
    // Where it is not shown, not even its type is told: nothing sniffs its way to a script.
    contentType: isInline ? `${mediaType}${isText ? "; charset=utf-8" : ""}` : unknownMediaType,
    headers: {
      "content-disposition": disposition(isInline ? "inline" : "attachment", artifact.filename),
      "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "private, no-cache",
      etag: `"${artifact.sha256}"`,
    },
  };
}

/** RFC 6266: a plain form for old readers and the exact name in RFC 5987's encoding. */
function disposition(kind: "inline" | "attachment", filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(filename).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`;
}
