/** A process that appends until it is killed and writes the number of every acknowledged entry to its standard output. */
import { writeSync } from "node:fs";
import { frameEntries } from "./entry.ts";
import { startLog } from "./log-client.ts";
import type { LogOptions } from "./log.ts";

const options = JSON.parse(process.argv[2] as string) as LogOptions;
const log = await startLog({ ...options, maxQueuedBytes: 1_000_000 });
const run = process.pid;
let next = 0;

async function appendForEver(): Promise<never> {
  for (;;) {
    const number = next;
    next += 1;
    const size = 1 + (number % 40);
    const entries = Array.from({ length: size }, (_, i) => ({
      v: 1 as const,
      key: `${run}/${number}/${i}`,
      at: "2026-02-03T04:05:06.789Z",
      type: "test.happened",
      tenant: "default",
      actor: { kind: "system" as const, id: "test" },
      labels: [],
      salt: "0123456789abcdef0123456789abcdef",
      data: {},
    }));
    const { firstIndex } = await log.append(frameEntries(entries));
    // Synchronous, so that what was acknowledged has left the process before it can be killed.
    writeSync(1, `${firstIndex} ${run}/${number}/0 ${size}\n`);
  }
}

writeSync(1, "ready\n");
await Promise.all([appendForEver(), appendForEver(), appendForEver()]);
