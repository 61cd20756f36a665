/** Bulkheads: so many at once of a kind in this process, so that one slow tool cannot take all hands. */

export interface BulkheadClaim {
  /** Whose places: a tool, a host. */
  readonly key: string;
  readonly atOnce: number;
}

export interface BulkheadLevel extends BulkheadClaim {
  readonly inUse: number;
  /** How often somebody was turned away since the process started. */
  readonly refused: number;
}

export interface Bulkhead {
  /** Takes a place of each, or none of any: then the key that is full. Every place taken must be given back by `leave`. */
  enter(claims: readonly BulkheadClaim[]): string | undefined;
  leave(keys: readonly string[]): void;
  levels(): readonly BulkheadLevel[];
}

export function createBulkhead(): Bulkhead {
  const rooms = new Map<string, { atOnce: number; inUse: number; refused: number }>();
  const roomOf = ({ key, atOnce }: BulkheadClaim) => {
    const room = rooms.get(key) ?? { atOnce, inUse: 0, refused: 0 };
    rooms.set(key, room);
    return room;
  };
  return {
    enter(claims) {
      const full = claims.find((claim) => roomOf(claim).inUse >= claim.atOnce);
      if (full !== undefined) {
        roomOf(full).refused += 1;
        return full.key;
      }
      for (const claim of claims) roomOf(claim).inUse += 1;
      return undefined;
    },
    leave(keys) {
      for (const key of keys) {
        const room = rooms.get(key);
        if (room !== undefined) room.inUse = Math.max(0, room.inUse - 1);
      }
    },
    levels: () => [...rooms].map(([key, room]) => ({ key, ...room })),
  };
}
