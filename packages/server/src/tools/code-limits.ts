/** The limits a code step may ask for, in units people write, and what they mean for the sandbox. Pure. */
import { z } from "zod";
import { limitBounds, mergeLimits } from "../sandbox/limits.ts";
import type { LimitName, SandboxLimits } from "../sandbox/sandbox.ts";

export interface CodeLimits {
  readonly wallSeconds?: number | undefined;
  readonly cpuSeconds?: number | undefined;
  readonly memoryMb?: number | undefined;
  readonly processes?: number | undefined;
  readonly fileMb?: number | undefined;
  readonly diskMb?: number | undefined;
  readonly outputKb?: number | undefined;
}

const kib = 1024;
const mib = 1024 * kib;

/** Same bounds as the sandbox's own table, so that a wrong number is told before anything is judged. */
export const codeLimitsSchema: z.ZodType<CodeLimits> = z.strictObject({
  wallSeconds: bounded("wallMs", 1000, "Seconds the program may take; the step's `timeout` where not given."),
  cpuSeconds: bounded("cpuSeconds", 1, "Processor seconds of all its processes together."),
  memoryMb: bounded("memoryBytes", mib, "MiB of memory."),
  processes: bounded("processes", 1, "Processes and threads at one time."),
  fileMb: bounded("fileBytes", mib, "MiB of the largest file it may write."),
  diskMb: bounded("diskBytes", mib, "MiB of its work folder, inputs included."),
  outputKb: bounded("outputBytes", kib, "KiB of stdout and stderr together."),
});

/**
 * The wall limit ends before the step's own deadline, so that a program that takes too long is told as "wall" with its
 * output, and not as an aborted step without any.
 */
export function toSandboxLimits(given: CodeLimits, timeoutMs: number): SandboxLimits {
  const slackMs = Math.min(1_000, timeoutMs / 10);
  const longestMs = Math.max(limitBounds.wallMs.min, Math.floor(timeoutMs - slackMs));
  const wantedMs = given.wallSeconds === undefined ? limitBounds.wallMs.max : given.wallSeconds * 1000;
  const wallMs = Math.round(Math.min(wantedMs, longestMs));
  return mergeLimits({
    wallMs,
    // One core busy all the time must not end by processor time before the wall limit.
    cpuSeconds: given.cpuSeconds ?? Math.max(limitBounds.cpuSeconds.default, Math.ceil(wallMs / 1000)),
    memoryBytes: scaled(given.memoryMb, mib),
    processes: given.processes,
    fileBytes: scaled(given.fileMb, mib),
    diskBytes: scaled(given.diskMb, mib),
    outputBytes: scaled(given.outputKb, kib),
  });
}

const keys = {
  wall: { key: "wallSeconds", of: "wallMs", unit: 1000 },
  cpu: { key: "cpuSeconds", of: "cpuSeconds", unit: 1 },
  memory: { key: "memoryMb", of: "memoryBytes", unit: mib },
  processes: { key: "processes", of: "processes", unit: 1 },
  "file-size": { key: "fileMb", of: "fileBytes", unit: mib },
  disk: { key: "diskMb", of: "diskBytes", unit: mib },
  output: { key: "outputKb", of: "outputBytes", unit: kib },
} as const satisfies Readonly<
  Record<LimitName, { key: keyof CodeLimits; of: keyof SandboxLimits; unit: number }>
>;

/** The key under `limits` that a program ran into, with the value it had, in the key's own unit. */
export function limitInForce(
  limit: LimitName,
  given: CodeLimits,
  timeoutMs: number,
): { readonly key: keyof CodeLimits; readonly value: number } {
  const { key, of, unit } = keys[limit];
  return { key, value: Number((toSandboxLimits(given, timeoutMs)[of] / unit).toFixed(1)) };
}

function bounded(name: keyof SandboxLimits, unit: number, what: string): z.ZodOptional<z.ZodNumber> {
  const { min, max } = limitBounds[name];
  const number = unit === 1 ? z.int() : z.number();
  return number
    .min(min / unit)
    .max(max / unit)
    .optional()
    .describe(what);
}

function scaled(value: number | undefined, unit: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * unit);
}
