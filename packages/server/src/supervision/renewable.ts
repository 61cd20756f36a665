/** A part that others hold on to while it is made anew underneath: they ask for the one in force each time. */
import type { ChildSpec } from "./child.ts";
import type { Part } from "./part.ts";

export interface Renewable<T extends Part> {
  /** The last one that started; before that the first one made. */
  current(): T;
  /** For a supervisor. */
  readonly child: ChildSpec;
}

/** The first one is made at once, so that it can be handed on before anything starts. */
export function createRenewable<T extends Part>(
  create: () => T,
  options: Pick<ChildSpec, "stopMs"> = {},
): Renewable<T> {
  let current = create();
  let unused: T | undefined = current;
  return {
    current: () => current,
    child: {
      name: current.name,
      ...options,
      create() {
        const next = unused ?? create();
        unused = undefined;
        return {
          name: next.name,
          async start() {
            await next.start();
            current = next;
          },
          stop: (deadlineMs) => next.stop(deadlineMs),
          health: () => next.health(),
          ...(next.failed === undefined ? {} : { failed: next.failed }),
          inspect: () => next.inspect?.() ?? {},
        };
      },
    },
  };
}
