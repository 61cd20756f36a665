/** The local admin token: made on first start, kept in a file that only its owner may read. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { HomeostatError, errorMessage } from "../base/error.ts";

export interface AdminToken {
  readonly value: string;
  readonly origin: "configured" | "file" | "created";
  /** Where it is kept; undefined when it was configured. */
  readonly path?: string;
}

/** 32 random bytes after a prefix that secret scanners can look for. */
const tokenShape = /^hst_[A-Za-z0-9_-]{43}$/;
/** Configured tokens may have any shape, but not be guessable. */
const minConfiguredLength = 20;

function createToken(random: (bytes: number) => Buffer = randomBytes): string {
  return `hst_${random(32).toString("base64url")}`;
}

function adminTokenPath(home: string): string {
  return join(home, "token");
}

/**
 * The configured token, or the one in the data folder `home`, created there when there is none. Throws CONFIG_INVALID
 * (configured one too short), TOKEN_UNSAFE (others may read the file, not a plain file, not a token) and
 * DATA_FOLDER_UNUSABLE.
 */
export async function openAdminToken(home: string, configured?: string): Promise<AdminToken> {
  if (configured !== undefined) return { value: requireStrong(configured), origin: "configured" };
  const path = adminTokenPath(home);
  const value = createToken();
  try {
    await create(path, value);
    return { value, origin: "created", path };
  } catch (error) {
    if (errorCodeOf(error) !== "EEXIST") throw unusable(path, error);
  }
  return { value: await readAdminToken(home), origin: "file", path };
}

/** For the command line. Throws AUTHENTICATION_REQUIRED when there is no token file, TOKEN_UNSAFE, DATA_FOLDER_UNUSABLE. */
export async function readAdminToken(home: string): Promise<string> {
  const path = adminTokenPath(home);
  let file: FileHandle;
  try {
    // A symlink could lead to a file that somebody else controls.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ELOOP") throw unsafe(path, "is a symbolic link");
    if (code !== "ENOENT") throw unusable(path, error);
    throw new HomeostatError(
      "AUTHENTICATION_REQUIRED",
      `There is no token file at ${path}`,
      { path },
      {
        hint: "Start the server once with `homeostat up`, name its data folder in HOMEOSTAT_HOME, or give --token.",
      },
    );
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw unsafe(path, "is not a plain file");
    if ((stat.mode & 0o077) !== 0) {
      throw unsafe(path, `may be read by others (mode ${(stat.mode & 0o777).toString(8)}, wanted 600)`);
    }
    const value = (await file.readFile("utf8")).trim();
    if (!tokenShape.test(value)) throw unsafe(path, "does not hold a token");
    return value;
  } finally {
    await file.close();
  }
}

function requireStrong(token: string): string {
  if (token.length >= minConfiguredLength && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new HomeostatError(
    "CONFIG_INVALID",
    `The configured token has ${token.length} characters; it needs at least ${minConfiguredLength}, visible ASCII without blanks`,
    { key: "token" },
    {
      hint: "Make one with `openssl rand -base64 32`, or leave HOMEOSTAT_TOKEN out: the data folder then gets its own.",
    },
  );
}

/** Written whole under another name first: neither a crash nor a second process ever sees a token file without a token. */
async function create(path: string, value: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${value}\n`);
    await file.sync();
    // Unlike rename, link fails when the name exists: of two processes starting together one creates, the other reads.
    await link(draft, path);
  } finally {
    await file.close();
    await unlink(draft);
  }
}

function unsafe(path: string, what: string): HomeostatError {
  return new HomeostatError("TOKEN_UNSAFE", `The token file ${path} ${what}`, { path });
}

function unusable(path: string, error: unknown): HomeostatError {
  return new HomeostatError(
    "DATA_FOLDER_UNUSABLE",
    `Cannot use the token file ${path}: ${errorMessage(error)}`,
    { path },
    {
      cause: error,
    },
  );
}

/** Files give nothing but system errors. */
function errorCodeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
