/** Renews held leases over a connection of its own, which no long commit blocks. */
import type { Clock } from "../../base/clock.ts";
import { endSlot, extendSlot } from "../lease-slot.ts";
import type { PostgresAnswer, PostgresConnection } from "./postgres-connection.ts";
import { startTimer } from "./postgres-timer.ts";
import type { WireLease } from "../wire.ts";

export interface PostgresLeaseRenewal {
  hold(lease: WireLease): void;
  drop(name: string, epoch: number): void;
  stop(): void;
}

export interface LeaseRenewalDeps {
  readonly clock: Clock;
  /** Undefined while there is none. */
  readonly connection: () => PostgresConnection | undefined;
  /** The connection did not answer in time. */
  readonly onStuck: (connection: PostgresConnection) => void;
  /** Another took the lease; it is no longer renewed. Must not throw. */
  readonly onLost: (name: string, epoch: number) => void;
}

interface Held {
  readonly lease: WireLease;
  dueMs: number;
}

/** Half of what is left when a lease is renewed on time, so that a new connection can still save it. */
const answerWithinTtl = 1 / 3;

/** Never throws: what could not be renewed is tried again soon, and ends by itself if that goes on. */
export function createPostgresLeaseRenewal(deps: LeaseRenewalDeps): PostgresLeaseRenewal {
  const { clock } = deps;
  const held = new Map<string, Held>();
  let stopTimer = (): void => {};
  let isStopped = false;
  return {
    hold(lease) {
      const entry = { lease, dueMs: clock.monotonic() + lease.ttlMs / 3 };
      held.set(key(lease.name, lease.epoch), entry);
      schedule();
    },
    drop: (name, epoch) => void held.delete(key(name, epoch)),
    stop() {
      isStopped = true;
      stopTimer();
      held.clear();
    },
  };

  function schedule(): void {
    stopTimer();
    if (held.size === 0 || isStopped) return;
    const nextMs = [...held.values()].reduce((least, { dueMs }) => Math.min(least, dueMs), Infinity);
    stopTimer = startTimer(clock, nextMs - clock.monotonic(), renewDue);
  }

  function renewDue(): void {
    const nowMs = clock.monotonic();
    for (const entry of held.values()) {
      if (entry.dueMs > nowMs) continue;
      // Tried again soon, unless the answer moves it on.
      entry.dueMs = nowMs + entry.lease.ttlMs * answerWithinTtl;
      void renew(entry);
    }
    schedule();
  }

  async function renew(entry: Held): Promise<void> {
    const { name, epoch, ttlMs, slot } = entry.lease;
    const monotonicMs = clock.monotonic();
    const wallMs = clock.now();
    const answer = await sendRenewal(entry.lease, wallMs, deps);
    // Dropped, or ended, meanwhile.
    if (held.get(key(name, epoch)) !== entry) return;
    if (answer?.kind !== "done") {
      // The holder sees it by the time that remains; the cause reaches the log with the next failing write.
      entry.dueMs = clock.monotonic() + ttlMs / 10;
    } else if (answer.changes === 1) {
      entry.dueMs = monotonicMs + ttlMs / 3;
      extendSlot(slot, monotonicMs, wallMs, ttlMs);
    } else {
      held.delete(key(name, epoch));
      endSlot(slot);
      deps.onLost(name, epoch);
    }
    schedule();
  }
}

/**
 * One statement, and so one row and one commit, for each lease: a transaction over several could deadlock with a commit that
 * fences the same ones in another order. Undefined without a connection.
 */
async function sendRenewal(
  { name, owner, epoch, ttlMs }: WireLease,
  wallMs: number,
  { clock, connection, onStuck }: LeaseRenewalDeps,
): Promise<PostgresAnswer | undefined> {
  const current = connection();
  if (current === undefined) return undefined;
  const stopTimer = startTimer(clock, ttlMs * answerWithinTtl, () => onStuck(current));
  const answer = await current.send({
    name: "renew",
    // Never shorter than it is: the holder may have reserved time for a long act.
    text: "UPDATE leases SET until_ms = GREATEST(until_ms, $1) WHERE name = $2 AND owner = $3 AND epoch = $4",
    values: [Math.floor(wallMs + ttlMs), name, owner, epoch],
  });
  stopTimer();
  return answer;
}

function key(name: string, epoch: number): string {
  return `${epoch} ${name}`;
}
