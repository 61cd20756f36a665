/** Copies files and takes their digests in the same pass, in bounded memory. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface Copied {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Makes the folders above `to`; durable when it resolves. `endBytes` cuts a file that grows meanwhile. Throws ENOENT. */
export async function copyFileHashed(from: string, to: string, endBytes = Infinity): Promise<Copied> {
  const source = await open(from, "r");
  try {
    const end = Number.isFinite(endBytes) ? { end: endBytes - 1 } : {};
    const content = endBytes === 0 ? [] : source.createReadStream({ ...end, autoClose: false });
    return await writeHashed(to, content as AsyncIterable<Buffer> | Iterable<Buffer>);
  } finally {
    await source.close();
  }
}

/** Writes a new file of these bytes; durable when it resolves. */
export async function writeHashed(
  to: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Copied> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const file = await open(to, "wx", 0o600);
  try {
    for await (const piece of content) {
      hash.update(piece);
      sizeBytes += piece.length;
      await file.writeFile(piece);
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** Paths of all regular files below a folder, `/`-separated, in order; nothing when there is no folder. */
export async function* listFiles(folder: string, below = ""): AsyncGenerator<string> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  const named = new Map(entries.map((entry) => [entry.name, entry]));
  for (const name of [...named.keys()].sort()) {
    const entry = named.get(name)!;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* listFiles(folder, path);
    else if (entry.isFile()) yield path;
  }
}
