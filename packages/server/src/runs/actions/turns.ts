/** Takes turns: works handed in are done one after the other, in the order of asking. */

/** Rejects as `work` does; the next one's turn comes all the same. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
