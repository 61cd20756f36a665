/** Bulkheads: so many at once of a kind in this process, a few more in a line, so that one slow tool cannot take all hands. */
import type { Clock } from "../base/clock.ts";

export interface BulkheadClaim {
  /** Whose places: a tool, a host. */
  readonly key: string;
  readonly atOnce: number;
  /** How many may wait for a place; further ones are turned away at once. */
  readonly line: number;
}

export interface BulkheadLevel extends BulkheadClaim {
  readonly inUse: number;
  readonly waiting: number;
  /** How often somebody was turned away since the process started, at once or after waiting in vain. */
  readonly refused: number;
}

export interface Bulkhead {
  /**
   * Takes a place of each, or none of any: then the key that is full. Waits in line for up to `patienceMs`, first come first
   * served. Every place taken must be given back by `leave`. Never rejects.
   */
  enter(claims: readonly BulkheadClaim[], patienceMs: number): Promise<string | undefined>;
  leave(keys: readonly string[]): void;
  levels(): readonly BulkheadLevel[];
}

interface Room {
  atOnce: number;
  line: number;
  inUse: number;
  waiting: number;
  refused: number;
}

interface Waiter {
  readonly claims: readonly BulkheadClaim[];
  readonly admit: () => void;
}

/** At most `mostRooms` keys are remembered, those besides that are in use: hosts come out of texts, without end. */
export function createBulkhead(deps: { readonly clock: Clock; readonly mostRooms?: number }): Bulkhead {
  const { clock, mostRooms = 1_000 } = deps;
  const rooms = createRooms(mostRooms);
  // In the order of coming: a set keeps it, and lets one in the middle leave.
  const waiters = new Set<Waiter>();

  /** Waits in the line of `room`, whose place is what is missing. */
  async function wait(claims: readonly BulkheadClaim[], room: Room, patienceMs: number): Promise<boolean> {
    const admitted = new AbortController();
    const waiter: Waiter = {
      claims,
      admit() {
        // Taken here and not where it wakes: nobody may slip in between.
        rooms.take(claims);
        room.waiting -= 1;
        waiters.delete(waiter);
        admitted.abort();
      },
    };
    waiters.add(waiter);
    room.waiting += 1;
    // The sleep is cut short by the admission.
    await clock.sleep(patienceMs, admitted.signal).catch(() => undefined);
    if (admitted.signal.aborted) return true;
    room.waiting -= 1;
    waiters.delete(waiter);
    // Whoever stood behind may need less.
    admitFitting();
    return false;
  }

  function admitFitting(): void {
    for (const waiter of waiters) if (rooms.findFull(waiter.claims) === undefined) waiter.admit();
  }

  return {
    async enter(claims, patienceMs) {
      const blocking = rooms.findInTheWay(claims);
      if (blocking === undefined) {
        rooms.take(claims);
        return undefined;
      }
      const room = rooms.roomOf(blocking);
      if (room.waiting < blocking.line && (await wait(claims, room, patienceMs))) return undefined;
      room.refused += 1;
      return blocking.key;
    },
    leave(keys) {
      rooms.free(keys);
      admitFitting();
    },
    levels: rooms.levels,
  };
}

interface Rooms {
  roomOf(claim: BulkheadClaim): Room;
  findFull(claims: readonly BulkheadClaim[]): BulkheadClaim | undefined;
  /** Whoever comes goes behind those who wait for one of the same places. */
  findInTheWay(claims: readonly BulkheadClaim[]): BulkheadClaim | undefined;
  take(claims: readonly BulkheadClaim[]): void;
  free(keys: readonly string[]): void;
  levels(): readonly BulkheadLevel[];
}

/** Who is in which room. */
function createRooms(mostRooms: number): Rooms {
  const rooms = new Map<string, Room>();

  function roomOf({ key, atOnce, line }: BulkheadClaim): Room {
    const known = rooms.get(key);
    if (known !== undefined) return known;
    if (rooms.size >= mostRooms) forgetOne();
    const room = { atOnce, line, inUse: 0, waiting: 0, refused: 0 };
    rooms.set(key, room);
    return room;
  }

  /** The oldest with nobody in it and nobody in its line. */
  function forgetOne(): void {
    for (const [key, { inUse, waiting }] of rooms) {
      if (inUse > 0 || waiting > 0) continue;
      rooms.delete(key);
      return;
    }
  }

  const findFull = (claims: readonly BulkheadClaim[]): BulkheadClaim | undefined =>
    claims.find((claim) => roomOf(claim).inUse >= claim.atOnce);
  return {
    roomOf,
    findFull,
    findInTheWay: (claims) => findFull(claims) ?? claims.find((claim) => roomOf(claim).waiting > 0),
    take(claims) {
      for (const claim of claims) roomOf(claim).inUse += 1;
    },
    free(keys) {
      for (const key of keys) {
        const room = rooms.get(key);
        if (room !== undefined) room.inUse = Math.max(0, room.inUse - 1);
      }
    },
    levels: () => [...rooms].map(([key, room]) => ({ key, ...room })),
  };
}
