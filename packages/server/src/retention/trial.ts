/** Several things to do of which one that fails is no reason to leave the others undone. */
import { isProgrammingError } from "../base/error.ts";

export interface Trial {
  /** Undefined when it failed. Never rejects. */
  of<T>(act: () => Promise<T>): Promise<T | undefined>;
  /** Throws what failed first, if anything did; before others a fault of our own. */
  end(): void;
}

export function createTrial(): Trial {
  const failures: unknown[] = [];
  return {
    async of(act) {
      try {
        return await act();
      } catch (error) {
        failures.push(error);
        return undefined;
      }
    },
    end() {
      if (failures.length > 0) throw failures.find(isProgrammingError) ?? failures[0];
    },
  };
}
