/** What changed about a tenant's questions since one last looked, for as long as a page is open, in bounded memory. */
import { approvalFromStore } from "../../gate/approvals.ts";
import type { Approval } from "../../gate/approvals.ts";
import type { Row, Store } from "../../store/store.ts";

export interface ApprovalWatch {
  /** Those that are new or look different: another status, a vote, somebody it was handed on to. All that are watched the first time. */
  look(): Promise<readonly Approval[]>;
}

/** The newest, open or not, are looked at each time. */
const newestWatched = 200;
/** Of older ones only those that still wait, the newest of them. */
const waitingWatched = 1_000;

const looksSelect = "SELECT id, status, votes, delegates FROM approvals WHERE tenant = ?";
const newestFirst = "ORDER BY requested_at_ms DESC, id DESC LIMIT ?";

export function createApprovalWatch(store: Pick<Store, "read">, tenant: string): ApprovalWatch {
  /** How each looked, the newest first. */
  let shown: ReadonlyMap<string, string> | undefined;
  /** Of these, older ones that waited. */
  let waiting: readonly string[] = [];
  return {
    async look() {
      const newest = await store.read(`${looksSelect} ${newestFirst}`, [tenant, newestWatched]);
      const ids = new Set(newest.map((row) => row["id"]));
      const older = (await readOlder()).filter((row) => !ids.has(row["id"]));
      const looks = new Map([...newest, ...older].map((row) => [row["id"] as string, lookOf(row)]));
      const changed = [...looks].filter(([id, look]) => shown?.get(id) !== look).map(([id]) => id);
      const open = [...newest, ...older].filter((row) => row["status"] === "waiting");
      waiting = open.slice(0, waitingWatched).map((row) => row["id"] as string);
      // What was decided and has left the newest is told now, and never looks different again.
      shown = looks;
      return await readWhole(changed);
    },
  };

  async function readOlder(): Promise<readonly Row[]> {
    if (shown === undefined)
      return await store.read(`${looksSelect} AND status = 'waiting' ${newestFirst}`, [
        tenant,
        waitingWatched,
      ]);
    if (waiting.length === 0) return [];
    return await store.read(`${looksSelect} AND id IN (${marksFor(waiting)})`, [tenant, ...waiting]);
  }

  async function readWhole(ids: readonly string[]): Promise<readonly Approval[]> {
    if (ids.length === 0) return [];
    const rows = await store.read(`SELECT * FROM approvals WHERE id IN (${marksFor(ids)})`, ids);
    return rows.map(approvalFromStore);
  }
}

function lookOf({ status, votes, delegates }: Row): string {
  return JSON.stringify([status, votes, delegates]);
}

function marksFor(values: readonly unknown[]): string {
  return values.map(() => "?").join(", ");
}
