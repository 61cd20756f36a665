/** A world in which payments ask people, and in which a test says who somebody is. */
import type { Holder } from "../../approvals/people.ts";
import { systemClock as clock } from "../../base/clock.ts";
import type { Decision } from "../../policy/rules/decision.ts";
import { createWorld } from "../testing-world.ts";
import type { World, WorldOptions } from "../testing-world.ts";

export const paying =
  "version: 1\nname: paying\nsteps:\n  - { id: pay, tool: test.pay, with: { amount: 5 } }\n";

export interface PayingWorld {
  readonly world: World;
  /** By name; others are approvers from the beginning. */
  readonly holders: Map<string, Holder>;
  readonly deps: Pick<World, "store"> & {
    readonly clock: typeof clock;
    readonly holderOf: (tenant: string, name: string) => Promise<Holder>;
  };
}

export interface PayingOptions {
  readonly by?: readonly string[];
  readonly quorum?: number;
  readonly scoreOf?: () => Decision["score"];
  readonly more?: Partial<WorldOptions>;
}

/** With one worker. The caller closes the world. */
export async function createPayingWorld(options: PayingOptions = {}): Promise<PayingWorld> {
  const { by = ["approver"], quorum = 1, scoreOf = () => undefined, more = {} } = options;
  const holders = new Map<string, Holder>();
  const holderOf = (_: string, name: string): Promise<Holder> =>
    Promise.resolve(holders.get(name) ?? { role: "approver", sinceMs: 0 });
  const world = await createWorld({
    tools: [{ name: "test.pay", effect: "idempotent", act: () => Promise.resolve("paid") }],
    decideFully: () => {
      const score = scoreOf();
      return {
        ...(score === undefined ? {} : { score }),
        effect: "ask",
        risk: "low",
        obligations: { approval: { by, quorum, expiresMs: 60_000 } },
        matched: [{ name: "payments", effect: "ask", line: 1, why: "action test.pay" }],
        reason: "payments asks",
        revision: "sha256:test",
      };
    },
    holderOf,
    ...more,
  });
  await world.startWorker("one");
  return { world, holders, deps: { store: world.store, clock, holderOf } };
}
