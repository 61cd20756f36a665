/** Facts of the runtime itself on their way into the ledger: started, moved, restored, a part that broke down. */
import type { JsonObject } from "../base/canonical-json.ts";
import { createId, createSalt } from "../base/id.ts";
import { outboxInsert } from "../store/outbox.ts";
import type { Statement } from "../store/store.ts";

/** The row that puts the fact into the ledger with the batch it is part of. */
export function recordFact(type: string, data: JsonObject, atMs: number): Statement {
  const key = createId("ent", atMs);
  return outboxInsert(key, {
    v: 1,
    key,
    at: new Date(atMs).toISOString(),
    type,
    tenant: "default",
    actor: { kind: "system", id: "homeostat" },
    labels: [],
    salt: createSalt(),
    data,
  });
}
