/** Trace ids as W3C Trace Context defines them (https://www.w3.org/TR/trace-context/), so that one request can be followed. */
import { randomBytes } from "node:crypto";

export interface Trace {
  /** 32 lower-case hex digits, not all zero. The same for everything that one request causes. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: this part of the work. */
  readonly spanId: string;
  readonly sampled: boolean;
}

type Random = (bytes: number) => Buffer;

/** A new trace, or a new span of the trace that `parent` belongs to. */
export function createTrace(parent?: Trace, random: Random = randomBytes): Trace {
  return {
    traceId: parent?.traceId ?? randomId(16, random),
    spanId: randomId(8, random),
    sampled: parent?.sampled ?? true,
  };
}

/**
 * The sender's trace from a `traceparent` header, undefined when there is none to go on: the standard says to start a new
 * trace then, never to refuse the request. Later versions may append fields after a dash (section 4.3).
 */
export function parseTraceparent(header: string | undefined): Trace | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header ?? "");
  const [, version, traceId, spanId, flags, rest] = match ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined)
    return undefined;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** For the headers of calls that we make. */
export function formatTraceparent({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

function randomId(bytes: number, random: Random): string {
  for (;;) {
    const id = random(bytes).toString("hex");
    // All zero means "none" in the standard.
    if (!isZero(id)) return id;
  }
}

function isZero(id: string): boolean {
  return /^0+$/.test(id);
}
