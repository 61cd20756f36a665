/** The ledger's two kinds of trouble: broken for good until a person has looked at it, and not to be written just now. */
import { HomeostatError } from "../base/error.ts";

export function broken(what: string, data: Readonly<Record<string, unknown>> = {}): HomeostatError {
  return new HomeostatError("LEDGER_BROKEN", `The ledger is broken: ${what}`, data);
}

/** `offset` is in bytes from the start of the file `segments/<segment>`; `block` is the ordinal, where it is known. */
export function brokenSegment(segment: string, offset: number, why: string, block?: number): HomeostatError {
  const name = block === undefined ? "the block" : `block ${block}`;
  return broken(`${name} at byte ${offset} of segments/${segment} is damaged: ${why}`, {
    segment,
    offset,
    block,
    why,
  });
}

export function unavailable(why: string): HomeostatError {
  return new HomeostatError("LEDGER_UNAVAILABLE", `The ledger cannot be appended to: ${why}`);
}
