/** How an artifact can be shown, judged by its media type. */
import type { Artifact } from "../api/contract.ts";

export type ArtifactKind = "picture" | "text" | "other";

/** What a browser shows safely inside <img>: there, scripts in an SVG do not run and nothing is loaded. */
const pictures: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "image/svg+xml",
]);

const texts: ReadonlySet<string> = new Set([
  "application/json",
  "application/yaml",
  "application/xml",
  "application/javascript",
  "application/x-ndjson",
]);

export function artifactKind({ mediaType }: Pick<Artifact, "mediaType">): ArtifactKind {
  const type = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (pictures.has(type)) return "picture";
  return type.startsWith("text/") || texts.has(type) || /\+(json|xml|yaml)$/.test(type) ? "text" : "other";
}

/** Shown large where there is no picture: `CSV`, `MD`, `BIN`. */
export function artifactMark({ filename }: Pick<Artifact, "filename">): string {
  const extension = /\.([A-Za-z0-9]{1,5})$/.exec(filename)?.[1];
  return (extension ?? "bin").toUpperCase();
}
