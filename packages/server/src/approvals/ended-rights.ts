/** What a key that has ended takes along of the rights that were handed out with it; for whoever ends it to know. */
import { approvalFromStore } from "../gate/approvals.ts";
import { listDelegations } from "./delegations.ts";
import { countingDelegates } from "./hand-ons.ts";
import { lookUpPeople } from "./people.ts";
import type { PeopleDeps } from "./people.ts";
import type { EndedKey } from "./standing.ts";

export interface EndedRights {
  /** In force until now, from the key's holder to others. */
  readonly delegations: number;
  /** Names that open questions were handed to and that may not answer them by this any more. */
  readonly handOns: number;
  /** To open questions, made by or for the key's holder and not used yet. */
  readonly links: number;
}

/** The newest are told; it is no more than a count for a person. */
const mostQuestions = 1_000;

/** What was handed out with an earlier key of the same name had ended with that one. */
export async function countRightsEndedWith(deps: PeopleDeps, key: EndedKey): Promise<EndedRights> {
  const { store, clock } = deps;
  const { tenant, principal, createdAtMs: sinceMs } = key;
  const nowMs = clock.now();
  const delegations = await listDelegations(store, tenant, { nowMs });
  const [links] = await store.read(
    `SELECT COUNT(*) AS n FROM approval_links l JOIN approvals a ON a.id = l.approval_id AND a.status = 'waiting'
      WHERE l.tenant = ? AND (l.principal = ? OR l.created_by = ?) AND l.created_at_ms >= ? AND l.expires_at_ms > ?
      AND l.used_at_ms IS NULL`,
    [tenant, principal, principal, sinceMs, nowMs],
  );
  return {
    delegations: delegations.filter(({ from, createdAtMs }) => from === principal && createdAtMs >= sinceMs)
      .length,
    handOns: await countHandOns(deps, key),
    links: Number(links!["n"]),
  };
}

async function countHandOns(deps: PeopleDeps, key: EndedKey): Promise<number> {
  const { tenant, principal, role, createdAtMs: sinceMs } = key;
  const rows = await deps.store.read(
    `SELECT * FROM approvals WHERE tenant = ? AND status = 'waiting' AND delegates <> '[]'
      ORDER BY requested_at_ms DESC, id LIMIT ${mostQuestions}`,
    [tenant],
  );
  const holderBefore: PeopleDeps["holderOf"] = (of, name) =>
    name === principal ? Promise.resolve({ role, sinceMs }) : deps.holderOf(of, name);
  const before = lookUpPeople({ ...deps, holderOf: holderBefore }, tenant);
  const now = lookUpPeople(deps, tenant);
  let count = 0;
  for (const question of rows.map(approvalFromStore)) {
    const still = await countingDelegates(now, question);
    const ended = (await countingDelegates(before, question)).filter((name) => !still.includes(name));
    count += new Set(ended).size;
  }
  return count;
}
