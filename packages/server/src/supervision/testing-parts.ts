/** Parts for tests of supervision: they do as they are told, and write down what is done to them. */
import type { Clock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import type { ChildSpec } from "./child.ts";
import type { Health, Part } from "./part.ts";
import type { SupervisionEvent, SupervisorDeps } from "./supervisor.ts";

export interface TestPart extends Part {
  breakDown(reason: string): void;
  setHealth(health: Health): void;
}

export interface Stage {
  /** `start a`, `stop a`, in order. */
  readonly log: string[];
  /** The part that runs under this name now. */
  readonly current: Map<string, TestPart>;
  /** How many starts of this name are still to fail. */
  readonly failingStarts: Map<string, number>;
  readonly events: SupervisionEvent[];
  changes: number;
  child(name: string, more?: Partial<ChildSpec>): ChildSpec;
  deps(clock: Clock): SupervisorDeps;
}

export function createStage(): Stage {
  const stage: Stage = {
    log: [],
    current: new Map(),
    failingStarts: new Map(),
    events: [],
    changes: 0,
    child: (name, more = {}) => ({ name, create: () => createTestPart(name, stage), ...more }),
    deps: (clock) => ({
      clock,
      logger: createSilentLogger(),
      random: () => 0,
      report: (event) => void stage.events.push(event),
      changed: () => void (stage.changes += 1),
    }),
  };
  return stage;
}

function createTestPart(name: string, stage: Stage): TestPart {
  const failed = Promise.withResolvers<unknown>();
  let health: Health = { kind: "ok" };
  const part: TestPart = {
    name,
    failed: failed.promise,
    start() {
      const left = stage.failingStarts.get(name) ?? 0;
      stage.failingStarts.set(name, left - 1);
      if (left > 0) return Promise.reject(new Error(`${name} cannot start`));
      stage.log.push(`start ${name}`);
      stage.current.set(name, part);
      return Promise.resolve();
    },
    stop() {
      stage.log.push(`stop ${name}`);
      return Promise.resolve();
    },
    health: () => health,
    breakDown: (reason) => failed.resolve(new Error(reason)),
    setHealth: (next) => void (health = next),
  };
  return part;
}
