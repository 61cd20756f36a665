/** What a chaos scenario is: it makes a cluster, breaks it by a seed, lets it recover, and says what did not hold. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCluster } from "../cluster/cluster.ts";
import type { Cluster, ClusterOptions } from "../cluster/cluster.ts";
import { bankEnvironment, untilAllEnded } from "../cluster/payments.ts";
import type { Payments } from "../cluster/payments.ts";
import { startFakeBank } from "./fake-bank.ts";
import type { FakeBank } from "./fake-bank.ts";
import type { Acknowledged } from "./evidence.ts";
import { createFaults } from "./fault-shim.ts";
import type { Faults } from "./fault-shim.ts";
import { findViolations } from "./invariants.ts";
import { createRandom } from "./random.ts";

export type Need = "compiler" | "postgres" | "redis";

export interface Scenario {
  readonly name: string;
  /** One sentence: what is done to the runtime. */
  readonly about: string;
  readonly needs: readonly Need[];
  /** Figures that must not be 0: else nothing was broken, and that nothing was found says nothing. */
  readonly breaks: readonly string[];
  run(chaos: Chaos): Promise<ScenarioResult>;
}

export interface ScenarioResult {
  readonly violations: readonly string[];
  /** Counts for people: kills, runs, questions. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface Chaos {
  readonly random: () => number;
  /** 1 is the short form of the tests; more makes more rounds and runs. */
  readonly scale: number;
  readonly say: (line: string) => void;
  /** Everything made here is ended and removed when the scenario is over. */
  open(options: ClusterOptions & { readonly bankDelayMs?: number }): Promise<Stage>;
  faults(): Promise<Faults>;
}

export interface Stage {
  readonly cluster: Cluster;
  readonly bank: FakeBank;
  /** Waits until every run has ended, answering as a person would, and checks what must hold. */
  settle(
    payments: Payments,
    options?: {
      readonly ends?: readonly string[];
      readonly deadlineMs?: number;
      readonly acknowledged?: readonly Acknowledged[];
    },
  ): Promise<readonly string[]>;
}

export interface ChaosOptions {
  readonly seed: number;
  readonly scale: number;
  readonly say: (line: string) => void;
}

/** Runs one scenario and cleans up behind it. */
export async function runScenario(scenario: Scenario, options: ChaosOptions): Promise<ScenarioResult> {
  const endings: (() => Promise<void>)[] = [];
  try {
    const result = await scenario.run({
      random: createRandom(options.seed),
      scale: options.scale,
      say: options.say,
      async open({ bankDelayMs = 20, ...rest }) {
        const bank = await startFakeBank(bankDelayMs);
        endings.push(bank.close);
        const cluster = await createCluster({
          ...rest,
          environment: { ...bankEnvironment(bank), ...rest.environment },
        });
        endings.push(cluster.stop);
        return { cluster, bank, settle: (payments, how) => settle({ cluster, bank }, payments, how) };
      },
      async faults() {
        const folder = await mkdtemp(join(tmpdir(), "homeostat-faults-"));
        const faults = await createFaults(folder);
        endings.push(async () => {
          await faults.close();
          await rm(folder, { recursive: true, force: true });
        });
        return faults;
      },
    });
    const idle = scenario.breaks.filter((name) => (result.figures[name] ?? 0) === 0);
    const nothing = idle.map((name) => `nothing was broken: ${name} is 0`);
    return { ...result, violations: [...result.violations, ...nothing] };
  } finally {
    for (const end of endings.toReversed()) await end();
  }
}

async function settle(
  { cluster, bank }: Pick<Stage, "cluster" | "bank">,
  payments: Payments,
  { ends = ["COMPLETED"], deadlineMs = 120_000, acknowledged = [] }: Parameters<Stage["settle"]>[1] = {},
): Promise<readonly string[]> {
  await untilAllEnded(cluster, bank, { payments, deadlineMs });
  return await findViolations(cluster, bank, { submitted: payments.submitted, ends, acknowledged });
}
