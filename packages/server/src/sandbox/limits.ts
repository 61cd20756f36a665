/** What a sandboxed program may use: defaults, bounds with unit and reason, and how requested limits are checked. Pure. */
import { HomeostatError } from "../base/error.ts";
import type { ErrorDetail } from "../base/error.ts";
import type { SandboxLimits } from "./sandbox.ts";

export interface LimitBound {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: "milliseconds" | "seconds" | "bytes" | "count";
  readonly why: string;
}

/** Some of the limits; `undefined` means not asked for. */
export type PartialLimits = { readonly [name in keyof SandboxLimits]?: number | undefined };

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;

/** One row per limit; the reference page and the tool's schema are made from it. */
export const limitBounds: { readonly [name in keyof SandboxLimits]: LimitBound } = {
  wallMs: {
    default: 30_000,
    min: 10,
    max: 600_000,
    unit: "milliseconds",
    why: "a step that needs more than ten minutes belongs into several steps",
  },
  cpuSeconds: {
    default: 30,
    min: 1,
    max: 600,
    unit: "seconds",
    why: "processor time of all processes together; RLIMIT_CPU counts whole seconds",
  },
  memoryBytes: {
    default: 256 * mib,
    min: 16 * mib,
    max: 16 * gib,
    unit: "bytes",
    why: "Node alone needs about 50 MiB; files of the work folder are counted by diskBytes instead",
  },
  processes: {
    default: 64,
    min: 8,
    max: 1024,
    unit: "count",
    why: "processes and threads at one time; Node alone has eleven threads",
  },
  fileBytes: {
    default: 64 * mib,
    min: 4 * kib,
    max: 1 * gib,
    unit: "bytes",
    why: "largest file the program may write (RLIMIT_FSIZE)",
  },
  diskBytes: {
    default: 128 * mib,
    min: 64 * kib,
    max: 4 * gib,
    unit: "bytes",
    why: "the work folder with its inputs; it lies in memory, so a full one costs that much RAM",
  },
  outputBytes: {
    default: 1 * mib,
    min: 256,
    max: 16 * mib,
    unit: "bytes",
    why: "stdout and stderr together, held in the server's memory while the program runs",
  },
};

const limitNames = Object.keys(limitBounds) as (keyof SandboxLimits)[];

/** What a program gets when nobody asked for anything else. */
export const defaultLimits: SandboxLimits = mergeLimits();

/** The defaults with each layer laid over the ones before it; `undefined` in a layer leaves the value as it is. */
export function mergeLimits(...layers: readonly PartialLimits[]): SandboxLimits {
  const merged = Object.fromEntries(limitNames.map((name) => [name, limitBounds[name].default]));
  for (const layer of layers) {
    for (const name of limitNames) merged[name] = layer[name] ?? merged[name]!;
  }
  return merged as unknown as SandboxLimits; // every name of the table has a number
}

/** One finding for each limit that is not a whole number within its bounds. */
export function checkLimits(limits: SandboxLimits): readonly ErrorDetail[] {
  return limitNames.flatMap((name) => {
    const { min, max, unit } = limitBounds[name];
    const value = limits[name];
    if (Number.isSafeInteger(value) && value >= min && value <= max) return [];
    return [{ path: `limits.${name}`, detail: `${name} is ${value}; it may be ${min} to ${max} ${unit}` }];
  });
}

/** Throws SANDBOX_REQUEST_INVALID when a limit is out of bounds: limits are refused, never silently changed. */
export function requireLimits(limits: SandboxLimits): void {
  const details = checkLimits(limits);
  if (details.length === 0) return;
  throw new HomeostatError(
    "SANDBOX_REQUEST_INVALID",
    details.map((each) => each.detail).join("; "),
    {},
    { details },
  );
}
