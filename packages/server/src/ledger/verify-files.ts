/** Checks that the ledger folder holds nothing but the ledger. */
import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Findings } from "./findings.ts";
import { parseSegmentName } from "./segment.ts";
import { parseTilePath, tileWidth } from "./tile.ts";

interface FileDeps {
  readonly size: number;
  /** Full tiles of the signed tree, as paths below `tile/`. */
  readonly tiles: ReadonlySet<string>;
  readonly findings: Findings;
}

/** What a write under way, or one that a crash interrupted, leaves for a moment. */
const passing: readonly string[] = ["checkpoint.tmp", "key.pub.tmp"];

export function verifyFiles(ledgerFolder: string, { size, tiles, findings }: FileDeps): void {
  const check = findings.check("files");
  for (const item of readdirSync(ledgerFolder, { recursive: true, withFileTypes: true })) {
    if (item.isDirectory()) continue;
    const path = relative(ledgerFolder, join(item.parentPath, item.name)).split(sep).join("/");
    check.add(1);
    if (!item.isFile() || !isKnown(path, { size, tiles })) {
      check.found({ what: "unknown file", where: path, detail: "the ledger does not write such a file" });
    }
  }
}

function isKnown(path: string, { size, tiles }: Pick<FileDeps, "size" | "tiles">): boolean {
  if (path === "checkpoint" || path === "key.pub" || passing.includes(path)) return true;
  const [folder, ...rest] = path.split("/");
  const name = rest.join("/");
  if (folder === "segments") return parseSegmentName(name) !== undefined;
  return folder === "tile" && (tiles.has(name) || isBeyond(name, size));
}

/** A tile that becomes full only after the signed size was written by an append under way. */
function isBeyond(path: string, size: number): boolean {
  const tile = parseTilePath(path);
  if (tile === undefined || tile.kind !== "hashes" || tile.width !== tileWidth) return false;
  return (tile.index + 1) * tileWidth ** (tile.level + 1) > size;
}
