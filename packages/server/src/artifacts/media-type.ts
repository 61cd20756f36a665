/** What kind of content a file has, by its name and, where bytes are at hand, by how it begins. Pure. */

/** Only types a browser may be told without harm elsewhere; unknown names are `application/octet-stream`. */
const byExtension: Readonly<Record<string, string>> = {
  avif: "image/avif",
  bmp: "image/bmp",
  css: "text/css",
  csv: "text/csv",
  gif: "image/gif",
  gz: "application/gzip",
  htm: "text/html",
  html: "text/html",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript",
  json: "application/json",
  jsonl: "application/jsonl",
  log: "text/plain",
  md: "text/markdown",
  mjs: "text/javascript",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  py: "text/x-python",
  sh: "application/x-sh",
  svg: "image/svg+xml",
  tar: "application/x-tar",
  toml: "application/toml",
  ts: "text/x-typescript",
  tsv: "text/tab-separated-values",
  txt: "text/plain",
  wasm: "application/wasm",
  wav: "audio/wav",
  webp: "image/webp",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
};

export const unknownMediaType = "application/octet-stream";

/** Signatures of the types that have one, as in the WHATWG MIME Sniffing Standard, section 6. */
const byBeginning: readonly { readonly type: string; readonly at?: number; readonly bytes: string }[] = [
  { type: "image/png", bytes: "\x89PNG\r\n\x1a\n" },
  { type: "image/jpeg", bytes: "\xff\xd8\xff" },
  { type: "image/gif", bytes: "GIF87a" },
  { type: "image/gif", bytes: "GIF89a" },
  { type: "image/webp", at: 8, bytes: "WEBPVP" },
  { type: "image/avif", at: 4, bytes: "ftypavif" },
  { type: "image/bmp", bytes: "BM" },
  { type: "image/x-icon", bytes: "\0\0\x01\0" },
  { type: "application/pdf", bytes: "%PDF-" },
  { type: "application/zip", bytes: "PK\x03\x04" },
  { type: "application/gzip", bytes: "\x1f\x8b\x08" },
  { type: "application/wasm", bytes: "\0asm" },
];

const signed: ReadonlySet<string> = new Set(byBeginning.map((each) => each.type));

/**
 * By extension. With `head` (the first 16 bytes are enough) the name must not lie: a type with a signature that the
 * content does not have becomes unknown, and a file without a telling name gets the type its beginning shows.
 */
export function mediaTypeOf(path: string, head?: Uint8Array): string {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const extension = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : "";
  const named = Object.hasOwn(byExtension, extension) ? byExtension[extension]! : unknownMediaType;
  if (head === undefined) return named;
  const shown = byBeginning.find(({ at = 0, bytes }) => beginsWith(head, at, bytes))?.type;
  if (named === unknownMediaType) return shown ?? unknownMediaType;
  return signed.has(named) && shown !== named ? unknownMediaType : named;
}

/** Types that a browser shows without running anything of them, given the sandboxing headers of the content route. */
export function mayShowInline(mediaType: string): boolean {
  return inlineTypes.has(mediaType);
}

const inlineTypes: ReadonlySet<string> = new Set([
  "application/json",
  "application/pdf",
  "application/yaml",
  "image/avif",
  "image/bmp",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/svg+xml",
  "image/webp",
  "image/x-icon",
  "text/csv",
  "text/markdown",
  "text/plain",
  "text/tab-separated-values",
]);

function beginsWith(head: Uint8Array, at: number, bytes: string): boolean {
  return Buffer.from(head.subarray(at, at + bytes.length)).toString("latin1") === bytes;
}
