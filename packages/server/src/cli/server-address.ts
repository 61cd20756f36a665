/** The running server's address in the data folder, so that commands find it whatever port it was started on. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileDurably } from "../base/durable-file.ts";
import { isProcessDead, processIdentity } from "../store/process-identity.ts";

const shape = z.object({ url: z.url(), process: z.string() });

export function writeServerAddress(home: string, url: string): void {
  writeFileDurably(pathIn(home), `${JSON.stringify({ url, process: processIdentity() })}\n`, 0o600);
}

/** Undefined when none runs: no file, an unreadable one, or one that a killed server left behind. */
export async function findServerAddress(home: string): Promise<string | undefined> {
  const found = await readAddress(home);
  return found === undefined || isProcessDead(found.process) ? undefined : found.url;
}

/** Leaves the file alone when another server has written it since. */
export async function removeServerAddress(home: string): Promise<void> {
  const found = await readAddress(home);
  if (found?.process === processIdentity()) await rm(pathIn(home), { force: true });
}

async function readAddress(home: string): Promise<z.output<typeof shape> | undefined> {
  try {
    return shape.parse(JSON.parse(await readFile(pathIn(home), "utf8")));
  } catch {
    // Then the configured address is tried, and that says what is wrong if it does not answer.
    return undefined;
  }
}

function pathIn(home: string): string {
  return join(home, "server.json");
}
