/** Places of live streams: bounded in all, and the last quarter is for callers who have few. */
import { HomeostatError } from "../base/error.ts";

export interface StreamPlaces {
  /** Takes a place; the answer gives it back. Throws SERVER_BUSY. */
  enter(caller: string): () => void;
}

/** So many a caller always gets while there is a place: tabs of a browser, a script or two. */
const few = 8;

export function createStreamPlaces(most: number): StreamPlaces {
  const places = new Map<string, number>();
  // Else one caller, who may only look, could shut everybody else out.
  const open = Math.ceil(most * 0.75);
  let taken = 0;
  return {
    enter(caller) {
      const own = places.get(caller) ?? 0;
      const isGreedy = taken >= open && own >= few;
      if (taken >= most || isGreedy) {
        const text = isGreedy
          ? `you have ${own} of ${taken} open live streams`
          : `${most} live streams are open already`;
        throw new HomeostatError("SERVER_BUSY", text, { retryAfterSeconds: 5 });
      }
      taken += 1;
      places.set(caller, own + 1);
      return () => {
        taken -= 1;
        const left = places.get(caller)! - 1;
        if (left === 0) places.delete(caller);
        else places.set(caller, left);
      };
    },
  };
}
