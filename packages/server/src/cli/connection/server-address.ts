/** The addresses of running servers in the data folder, one file for each, so that commands find one whatever its port. */
import { readdir, readFile, rm } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileDurably } from "../../base/durable-file.ts";
import { sha256 } from "../../base/digest.ts";
import { isProcessDead } from "../../store/process-identity.ts";

const shape = z.object({ url: z.url(), process: z.string(), startedAtMs: z.number() });

export interface ServerAddress {
  readonly url: string;
  /** `processIdentity` of the server. */
  readonly process: string;
  readonly startedAtMs: number;
}

export function writeServerAddress(home: string, address: ServerAddress): void {
  mkdirSync(folderIn(home), { recursive: true, mode: 0o700 });
  writeFileDurably(pathOf(home, address.process), `${JSON.stringify(address)}\n`, 0o600);
}

/**
 * Of several gateways the one started last. Undefined when none runs: no file, an unreadable one, or only such as killed servers
 * left behind.
 */
export async function findServerAddress(home: string): Promise<string | undefined> {
  const names = await readdir(folderIn(home)).catch(() => []);
  const found = await Promise.all(names.map((name) => readAddress(join(folderIn(home), name))));
  const living = found.filter((each) => each !== undefined).filter((each) => !isProcessDead(each.process));
  return living.toSorted((a, b) => b.startedAtMs - a.startedAtMs)[0]?.url;
}

/** Its own, and what killed servers left. */
export async function removeServerAddress(home: string, process: string): Promise<void> {
  const names = await readdir(folderIn(home)).catch(() => []);
  for (const name of names) {
    const path = join(folderIn(home), name);
    const address = await readAddress(path);
    if (address === undefined) continue;
    if (address.process === process || isProcessDead(address.process)) await rm(path, { force: true });
  }
}

async function readAddress(path: string): Promise<ServerAddress | undefined> {
  try {
    return shape.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Then the configured address is tried, and that says what is wrong if it does not answer.
    return undefined;
  }
}

function folderIn(home: string): string {
  return join(home, "servers");
}

/** Named after the process: each writes a file of its own, so that none overwrites another's. */
function pathOf(home: string, process: string): string {
  return join(folderIn(home), `${sha256(process).slice(0, 16)}.json`);
}
