/** Builds who may call: the admin's token, keys of others, sessions of browsers. Built for system.ts. */
import type { Clock } from "../base/clock.ts";
import { countRightsEndedWith } from "../approvals/ended-rights.ts";
import { countEndedWith } from "../approvals/standing.ts";
import { createAuthenticator } from "../http/authenticate.ts";
import type { Authenticate } from "../http/authenticate.ts";
import type { Route } from "../http/route.ts";
import { createApiKeys } from "../identity/api-keys.ts";
import type { ApiKeys } from "../identity/api-keys.ts";
import { apiKeysRoutes } from "../identity/api-keys.routes.ts";
import { sessionRoutes } from "../identity/session.routes.ts";
import { createSessions } from "../identity/sessions.ts";
import { createTokens } from "../identity/tokens.ts";
import type { Store } from "../store/store.ts";

export interface IdentitySystem {
  readonly keys: ApiKeys;
  readonly authenticate: Authenticate;
  readonly routes: readonly Route[];
}

export function createIdentity(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly adminToken: string;
  readonly sessionHours: number;
}): IdentitySystem {
  const { store, clock } = deps;
  const keys = createApiKeys({ store, clock });
  const people = { store, clock, holderOf: keys.holderOf };
  const tokens = createTokens(deps.adminToken);
  const lifetimeMs = deps.sessionHours * 3_600_000;
  const sessions = createSessions({ store, clock, credential: tokens.credential, lifetimeMs });
  return {
    keys,
    authenticate: createAuthenticator({
      findByToken: async (given) => (await tokens.findByToken(given)) ?? (await keys.findByToken(given)),
      findBySession: sessions.find,
      clock,
    }),
    routes: [
      ...apiKeysRoutes({
        keys,
        countEndedWith: (key) => countEndedWith(people, key),
        countRightsEndedWith: (key) => countRightsEndedWith(people, key),
      }),
      ...sessionRoutes({ sessions, clock }),
    ],
  };
}
