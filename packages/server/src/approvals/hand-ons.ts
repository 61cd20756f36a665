/** Which of the people a question was handed to may answer it now: what somebody handed on ends with the key they did it with. */
import type { Approval } from "../gate/approvals.ts";
import { holdsKeyOf } from "./people.ts";
import type { People } from "./people.ts";
import { isEntitled } from "./responder.ts";

/**
 * The names that count, in the order of the hand-ons. Each giver must still hold the key they had then, and be somebody who may
 * answer, by themselves or through an earlier one that counts. One that does not name its giver, of an older version, counts no more.
 */
export async function countingDelegates(
  people: People,
  { by, handOns }: Pick<Approval, "by" | "handOns">,
): Promise<readonly string[]> {
  const delegates: string[] = [];
  for (const { to, by: giver, atMs } of handOns) {
    if (giver === null) continue;
    const holder = await people.holderOf(giver);
    if (!holdsKeyOf(holder, atMs)) continue;
    if (isEntitled({ by, delegates }, { id: giver, role: holder.role })) delegates.push(to);
  }
  return delegates;
}
