/** Reads secrets that are kept elsewhere: in Vault, in an environment variable, in a file of the granted folder. */
import { readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { errorMessage, HomeostatError } from "../base/error.ts";
import type { Reference } from "./secret-rows.ts";
import type { Vault } from "./vault.ts";

export interface ReferenceDeps {
  /** Undefined when none is configured. */
  readonly vault: Vault | undefined;
  /** Values of the variables HOMEOSTAT_SECRET_*, by the rest of their name. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where files with secrets lie, as containers mount them; undefined when none is granted. */
  readonly folder: string | undefined;
}

/** A secret is no document; this bounds what a wrong path can pull in. */
const maxFileBytes = 64 * 1024;

/** Throws SECRET_NOT_FOUND, SECRET_INVALID (that source is not configured, a name that leads elsewhere), VAULT_FAILED. */
export async function readReference(reference: Reference, deps: ReferenceDeps): Promise<string> {
  switch (reference.kind) {
    case "vault": {
      if (deps.vault === undefined) throw invalid("no Vault is configured (setting `secrets.vault.url`)");
      return (await deps.vault.read(reference.path, reference.field, reference.version)).value;
    }
    case "environment": {
      const { name } = reference;
      const value = Object.hasOwn(deps.environment, name) ? deps.environment[name] : undefined;
      if (value !== undefined && value !== "") return value;
      throw notFound(`the variable HOMEOSTAT_SECRET_${name} is not set in the server's environment`);
    }
    case "file":
      return await readSecretFile(reference.name, deps.folder);
  }
}

async function readSecretFile(name: string, folder: string | undefined): Promise<string> {
  if (folder === undefined) throw invalid("no folder is granted (setting `secrets.folder`)");
  try {
    // Mounted secrets are symbolic links within their folder; the file itself must still lie in it.
    const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    if (!path.startsWith(root + sep)) throw invalid(`${name} leads out of ${folder}`);
    const { size } = await stat(path);
    if (size > maxFileBytes) throw invalid(`${name} has ${size} bytes, more than ${maxFileBytes}`);
    return (await readFile(path, "utf8")).replace(/\r?\n$/, "");
  } catch (error) {
    if (error instanceof HomeostatError) throw error;
    throw notFound(`the file ${name} of ${folder} cannot be read: ${errorMessage(error)}`);
  }
}

function invalid(why: string): HomeostatError {
  return new HomeostatError("SECRET_INVALID", `The secret cannot be read: ${why}`);
}

function notFound(why: string): HomeostatError {
  return new HomeostatError("SECRET_NOT_FOUND", `The secret cannot be read: ${why}`);
}
