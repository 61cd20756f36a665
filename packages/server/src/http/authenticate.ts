/** Turns a bearer token or a session cookie into a Principal; limits how often an address may guess wrong. */
import type { Clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { Principal } from "./access.ts";

export interface Credentials {
  /** The Authorization header as it came. */
  readonly authorization: string | undefined;
  /** Value of the session cookie. */
  readonly sessionCookie: string | undefined;
  readonly remoteAddress: string;
}

/** Resolves to the principal. Throws AUTHENTICATION_REQUIRED, and AUTHENTICATION_LIMITED after too many wrong tokens. */
export type Authenticate = (credentials: Credentials) => Promise<Principal>;

export interface AuthenticatorDeps {
  /** Compares in constant time. Undefined: no such token. */
  readonly findByToken: (token: string) => Promise<Principal | undefined>;
  /** Undefined: no such session, or expired. */
  readonly findBySession: (value: string) => Promise<Principal | undefined>;
  readonly clock: Clock;
  /** Wrong credentials an address may send within `windowMs` before it is told to wait. */
  readonly maxFailures?: number;
  readonly windowMs?: number;
}

/** Addresses remembered at most; the oldest is forgotten first, so that a flood of addresses cannot fill the memory. */
const maxAddresses = 10_000;
/** Longer values are no tokens of ours and not worth hashing. */
const maxCredentialLength = 4_096;

/**
 * A right token always passes, even from a limited address: with 256 random bits guessing is hopeless anyway, and on one
 * machine the attacker and the operator share an address, so locking it would only help the attacker.
 */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticate {
  const failures = createFailureLimit(deps.clock, deps.maxFailures ?? 10, deps.windowMs ?? 60_000);
  return async ({ authorization, sessionCookie, remoteAddress }) => {
    if (authorization === undefined && sessionCookie === undefined) {
      throw new HomeostatError(
        "AUTHENTICATION_REQUIRED",
        "This address needs a token or a session, and none was sent",
      );
    }
    const principal = await find(deps, authorization, sessionCookie);
    if (principal !== undefined) return principal;
    const waitMs = failures.record(remoteAddress);
    if (waitMs > 0) {
      const retryAfterSeconds = Math.ceil(waitMs / 1000);
      throw new HomeostatError("AUTHENTICATION_LIMITED", "Too many wrong tokens came from this address", {
        retryAfterSeconds,
      });
    }
    throw new HomeostatError(
      "AUTHENTICATION_REQUIRED",
      authorization === undefined
        ? "The session is unknown or has ended"
        : "The token is not one of this server",
      { wrongToken: authorization !== undefined },
      authorization === undefined ? { hint: "Sign in again with the link that `homeostat up` printed." } : {},
    );
  };
}

async function find(
  deps: AuthenticatorDeps,
  authorization: string | undefined,
  sessionCookie: string | undefined,
): Promise<Principal | undefined> {
  if (authorization !== undefined) {
    const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    return token === undefined || token.length > maxCredentialLength ? undefined : deps.findByToken(token);
  }
  if (sessionCookie === undefined || sessionCookie.length > maxCredentialLength) return undefined;
  return deps.findBySession(sessionCookie);
}

interface FailureLimit {
  /** Counts one failure and says how long the address must wait; 0 while it is below the limit. */
  record(address: string): number;
}

function createFailureLimit(clock: Clock, maxFailures: number, windowMs: number): FailureLimit {
  const windows = new Map<string, { readonly startMs: number; count: number }>();
  return {
    record(address) {
      const nowMs = clock.monotonic();
      const known = windows.get(address);
      const isCurrent = known !== undefined && nowMs - known.startMs < windowMs;
      const window = isCurrent ? known : { startMs: nowMs, count: 0 };
      window.count += 1;
      windows.delete(address);
      windows.set(address, window);
      if (windows.size > maxAddresses) windows.delete(windows.keys().next().value!);
      return window.count > maxFailures ? window.startMs + windowMs - nowMs : 0;
    },
  };
}
