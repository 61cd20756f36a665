/** A fact for the ledger that is no journal event: who did what, written in the batch of what it is about. */
import type { JsonObject } from "../base/canonical-json.ts";
import { commit } from "../base/digest.ts";
import { createId, createSalt } from "../base/id.ts";
import type { Actor } from "../base/ledger-entry.ts";
import { outboxInsert } from "./outbox.ts";
import type { Statement } from "./store.ts";

export interface Fact {
  /** Noun and past verb, for example `secret.rotated`. */
  readonly type: string;
  readonly tenant: string;
  readonly actor: Actor;
  readonly atMs: number;
  /** Small public facts, no personal data. */
  readonly data: JsonObject;
  /** What somebody wrote about it: personal data, of which only a salted commitment goes in. */
  readonly reason?: string | null;
}

export function factInsert({ type, tenant, actor, atMs, data, reason = null }: Fact): Statement {
  const key = createId("ent", atMs);
  const salt = createSalt();
  return outboxInsert(key, {
    v: 1,
    key,
    at: new Date(atMs).toISOString(),
    type,
    tenant,
    actor,
    labels: [],
    salt,
    data: reason === null ? data : { ...data, reason: commit(salt, reason) },
  });
}
