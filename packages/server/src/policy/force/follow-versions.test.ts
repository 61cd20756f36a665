import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { createSilentLogger } from "../../base/log.ts";
import { outboxMigration } from "../../store/outbox.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import type { Store } from "../../store/store.ts";
import { openActivePolicy } from "./active-policy.ts";
import type { ActivePolicy } from "./active-policy.ts";
import type { PolicyChange } from "./policy-holder.ts";
import { createPolicyVersions, policyVersionsMigration } from "./versions.ts";
import type { PolicyVersions } from "./versions.ts";

let folder = "";
let store: Store;
let versions: PolicyVersions;
const machines: Machine[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-follow-"));
  store = await openSqliteStore({
    path: join(folder, "state.db"),
    clock: systemClock,
    logger: createSilentLogger(),
    migrations: [outboxMigration, policyVersionsMigration],
  });
  versions = createPolicyVersions(store);
});

afterEach(async () => {
  for (const { policy } of machines.splice(0)) await policy.stop(1_000);
  await store.close();
  await rm(folder, { recursive: true });
});

interface Machine {
  readonly policy: ActivePolicy;
  readonly path: string;
  readonly changes: PolicyChange[];
  readonly rule: () => string | undefined;
}

/** With a disk of its own and the database of all. */
async function start(name: string, text: string, more: Partial<PolicyVersions> = {}): Promise<Machine> {
  const path = join(folder, `${name}.yaml`);
  await writeFile(path, text);
  const changes: PolicyChange[] = [];
  const policy = openActivePolicy({
    path,
    clock: systemClock,
    knownActions: ["wait.for"],
    shared: { ...versions, ...more },
    pollMs: 10,
    report(change) {
      changes.push(change);
      if (change.kind === "activated" && change.version === null)
        void versions.add({ ...change, atMs: systemClock.now() });
    },
  });
  const machine = { policy, path, changes, rule: () => policy.current().rules[0]?.name };
  machines.push(machine);
  await policy.start();
  return machine;
}

const rule = (name: string): string =>
  `version: 1\nrules:\n  - { name: ${name}, effect: allow, action: wait.for }\n`;

const newest = async (): Promise<number | undefined> => (await versions.newest(0))?.number;

describe("a policy that several machines share", () => {
  test("an activation on one is in force on all, and is one version", async () => {
    const gateway = await start("gateway", rule("one"));
    await expect.poll(newest).toBe(1);
    const worker = await start("worker", rule("one"));
    const { revision: expected } = gateway.policy.current();
    const files = [{ name: "policy.yaml", text: rule("two") }];
    await gateway.policy.activate({ files, expected, by: "ada", note: "because" });
    expect(gateway.rule()).toBe("two");
    await expect.poll(worker.rule).toBe("two");
    expect(worker.changes.at(-1)).toMatchObject({
      kind: "activated",
      by: "ada",
      note: "because",
      version: 2,
    });
    expect(worker.policy.source().files).toEqual([{ name: worker.path, text: rule("two") }]);
    expect(await newest()).toBe(2);
    // The disk of the one that was asked holds it too; that of the other one is its own.
    expect(await readFile(gateway.path, "utf8")).toBe(rule("two"));
    expect(await readFile(worker.path, "utf8")).toBe(rule("one"));
  });

  test("a file that is changed on one is in force on all", async () => {
    const one = await start("one", rule("one"));
    await expect.poll(newest).toBe(1);
    const two = await start("two", rule("one"));
    await writeFile(two.path, rule("edited"));
    await expect.poll(one.rule).toBe("edited");
    expect(await newest()).toBe(2);
  });

  test("of two activations at once one is told that the other was first", async () => {
    const one = await start("one", rule("one"));
    await expect.poll(newest).toBe(1);
    const two = await start("two", rule("one"));
    const { revision: expected } = one.policy.current();
    const results = await Promise.allSettled(
      [one, two].map(({ policy }, index) => {
        const files = [{ name: "policy.yaml", text: rule(`by-${index}`) }];
        return policy.activate({ files, expected, by: "ada", note: null });
      }),
    );
    const failed = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ code: "POLICY_CONFLICT" });
    await vi.waitFor(() => expect(one.rule()).toBe(two.rule()));
  });

  test("a machine that starts with an older or a bad file has the newest version; one with a new file brings it", async () => {
    const first = await start("first", rule("one"));
    await expect.poll(newest).toBe(1);
    const { revision: expected } = first.policy.current();
    const files = [{ name: "policy.yaml", text: rule("two") }];
    await first.policy.activate({ files, expected, by: "ada", note: null });
    const stale = await start("stale", rule("one"));
    expect(stale.rule()).toBe("two");
    const broken = await start("broken", "version: 1\nrules: 7\n");
    expect(broken.rule()).toBe("two");
    expect(broken.policy.health()).toMatchObject({ kind: "degraded" });
    const same = await start("same", rule("two"));
    expect(same.changes).toMatchObject([{ version: null }]);
    expect(await newest()).toBe(2);
    await start("edited", rule("three"));
    await expect.poll(first.rule).toBe("three");
    await expect.poll(stale.rule).toBe("three");
  });

  test("a database that is away changes nothing, and a disk that cannot be written is no matter", async () => {
    let isAway = false;
    const away = async (after: number) => {
      if (isAway) throw new Error("away");
      return await versions.newest(after);
    };
    const one = await start("one", rule("one"), { newest: away });
    await expect.poll(newest).toBe(1);
    isAway = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(one.policy.health()).toMatchObject({ kind: "ok" });
    isAway = false;
    // A folder in its place cannot be renamed over.
    await rm(one.path);
    await mkdir(one.path);
    const { revision: expected } = one.policy.current();
    const files = [{ name: "policy.yaml", text: rule("two") }];
    await one.policy.activate({ files, expected, by: "ada", note: null });
    expect(one.rule()).toBe("two");
    expect(await newest()).toBe(2);
  });

  test("a version this program cannot read leaves what is in force", async () => {
    const one = await start("one", rule("one"));
    await expect.poll(newest).toBe(1);
    const files = [{ name: "policy.yaml", text: "version: 1\nrules:\n  - { later: key }\n" }];
    await versions.add({ revision: "later", rules: 1, by: null, note: null, files, atMs: 1 });
    await expect.poll(() => one.policy.health().kind).toBe("degraded");
    expect(one.rule()).toBe("one");
    // And one that starts now has its own file.
    const two = await start("two", rule("one"));
    expect(two.rule()).toBe("one");
  });
});
