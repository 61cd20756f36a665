/** Permits: the single-use proof that the gate let exactly this action through. Nothing acts without one. */
import { HomeostatError } from "../base/error.ts";

export interface PermitTerms {
  readonly runId: string;
  readonly stepPath: string;
  readonly attempt: number;
  readonly tool: string;
  readonly argsDigest: string;
  /** The lease's epoch: a worker that lost its lease holds worthless permits. */
  readonly epoch: number;
}

/** Opaque outside this file; only the office that issued it can redeem it. */
export interface Permit {
  readonly terms: PermitTerms;
}

export interface PermitOffice {
  issue(terms: PermitTerms): Permit;
  /** Ends the permit. Throws PERMIT_INVALID if it is forged, used, or says something else than `terms`. */
  redeem(permit: Permit, terms: PermitTerms): void;
}

export function createPermitOffice(): PermitOffice {
  // Identity, not content, makes a permit real: a copy or a look-alike is not in the set.
  const open = new WeakSet<Permit>();
  return {
    issue(terms) {
      const permit = Object.freeze({ terms: Object.freeze({ ...terms }) });
      open.add(permit);
      return permit;
    },
    redeem(permit, terms) {
      if (!open.delete(permit)) {
        throw new HomeostatError(
          "PERMIT_INVALID",
          `The permit for ${terms.tool} in ${terms.runId} is used or forged`,
          {
            step: terms.stepPath,
          },
        );
      }
      for (const key of Object.keys(terms) as (keyof PermitTerms)[]) {
        if (permit.terms[key] === terms[key]) continue;
        throw new HomeostatError(
          "PERMIT_INVALID",
          `The permit says ${key} ${permit.terms[key]}, the action has ${terms[key]}`,
          { step: terms.stepPath, key },
        );
      }
    },
  };
}
