/** Sizes, counts and digests for people. */

/** `0 B`, `812 B`, `12.4 KB`, `3.1 MB`; powers of 1000, as disks and browsers count. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = sizeBytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 run`, `7 runs`, `1,204 entries`. */
export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
}

/** The first characters of a digest or id, enough to tell neighbours apart. A `sha256:` prefix is dropped. */
export function shortDigest(digest: string, length = 10): string {
  const bare = digest.replace(/^sha256[:-]/, "");
  return bare.length <= length ? bare : `${bare.slice(0, length)}…`;
}

/** An id's end: ids start with the time, so neighbours differ at the end. */
export function shortId(id: string): string {
  const bare = id.replace(/^[a-z]+_/, "");
  return bare.length <= 8 ? bare : bare.slice(-8);
}
