/** Secret keys in files: 32 random bytes as hex, readable by their owner alone, made once even when several processes start together. */
import { randomBytes } from "node:crypto";
import { link, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "./durable-file.ts";
import { HomeostatError } from "./error.ts";
import type { ErrorCode } from "./error-codes.ts";

export interface KeyFile {
  readonly path: string;
  /** What the key is called in messages, for example "the master key of the blobs". */
  readonly what: string;
  /** Thrown when the file is missing, may be read by others, or is no key. */
  readonly code: ErrorCode;
}

/** Reads the key, making it on first use. Throws `code`. */
export async function openKeyFile(file: KeyFile): Promise<Buffer> {
  const exists = await stat(file.path).then(
    () => true,
    () => false,
  );
  if (!exists) await createOnce(file.path, randomBytes(32).toString("hex"));
  return await readKeyFile(file);
}

/** Throws `code`, also when there is no file. */
export async function readKeyFile({ path, what, code }: KeyFile): Promise<Buffer> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw new HomeostatError(code, `${what}, ${path}, is missing`, { path });
  if ((info.mode & 0o077) !== 0) {
    throw new HomeostatError(code, `${path} may be read by others`, { path }, { hint: `chmod 600 ${path}` });
  }
  const text = await readFile(path, "utf8");
  if (!/^[0-9a-f]{64}\n$/.test(text))
    throw new HomeostatError(code, `${path} does not hold a key (64 hex digits)`, { path });
  return Buffer.from(text.trim(), "hex");
}

/**
 * Writes `line` into a file that did not exist, whole or not at all. Unlike rename, link fails when the name exists: of two
 * processes one creates, and the other then reads what that one wrote.
 */
export async function createOnce(path: string, line: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${line}\n`);
    await file.sync();
    await link(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await file.close();
    await unlink(draft);
  }
}
