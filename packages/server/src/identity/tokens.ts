/** Who a bearer token belongs to. In this version there is one: the local admin. */
import { equalSecrets, sha256 } from "../base/digest.ts";
import type { Principal } from "../http/access.ts";

export interface Tokens {
  /** Constant-time. Undefined for anything but a token of this server. */
  findByToken(token: string): Promise<Principal | undefined>;
  /** Names the tokens in force without revealing them: sessions are bound to it. */
  readonly credential: string;
}

export function createTokens(adminToken: string, tenant = "default"): Tokens {
  const admin: Principal = { id: "admin", role: "admin", tenant };
  return {
    credential: sha256(`session credential:${adminToken}`),
    findByToken: (token) => Promise.resolve(equalSecrets(token, adminToken) ? admin : undefined),
  };
}
