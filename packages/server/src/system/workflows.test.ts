import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock as clock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import { createSilentLogger } from "../base/log.ts";
import {
  registerWorkflow,
  startFromHook,
  unregisterWorkflow,
} from "../runs/triggers/registered-workflows.ts";
import type { Registered } from "../runs/triggers/registered-workflows.ts";
import { createWorld } from "../runs/testing-world.ts";
import { createSecretChanges } from "../secrets/secret-changes.ts";
import { secretsMigration } from "../secrets/secret-rows.ts";
import { openSecrets } from "../secrets/secrets.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { createRegistered } from "./workflows.ts";
import { sign } from "../workflows/hook-signature.ts";
import { hooksMigration } from "../workflows/hooks.ts";
import type { NewHook } from "../workflows/hooks.ts";

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Whose key was revoked meanwhile. */
const gone = new Set<string>();

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-hooks-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const logger = createSilentLogger();
  const world = await createWorld({
    tools: [],
    openStore: (wanted) => {
      const migrations = [...wanted, secretsMigration, hooksMigration];
      return openSqliteStore({ path: join(folder, "state.db"), clock, logger, migrations });
    },
  });
  closers.push(() => world.close());
  const { store, registry, submitDeps: submit } = world;
  const key = Buffer.alloc(32, 1);
  const references = { vault: undefined, environment: {}, folder: undefined };
  const secrets = await openSecrets({ store, clock, logger, key, references });
  closers.push(() => secrets.close());
  const changes = createSecretChanges({ store, clock, key });
  const keys = {
    currentRole: (_tenant: string, name: string) =>
      Promise.resolve(gone.has(name) ? ("none" as const) : ("admin" as const)),
  };
  return createRegistered({ registry, store, clock, logger, secrets, changes, submit, keys });
}

const step = (x: string): string => `steps: [{ id: a, set: { x: ${x} } }]\n`;
const workflow = (x: string): string =>
  `version: 1\nname: w\ntriggers: [{ webhook: paid, auth: signature }]\n${step(x)}`;

function call({ name, secret }: NewHook) {
  const body = Buffer.from("{}");
  const signed = { id: "1", timestamp: String(Math.floor(clock.now() / 1000)), body };
  const headers = {
    "webhook-id": signed.id,
    "webhook-timestamp": signed.timestamp,
    "webhook-signature": sign(signed, secret),
  };
  return { name, headers, authorization: undefined, body };
}

test("of two who register a webhook at once one wins, and the secret handed out is the one that counts", async () => {
  const deps = await start();
  const request = { tenant: "default", by: "eve" };
  for (const texts of [
    ["1", "2"],
    ["3", "3"],
  ]) {
    const settled = await Promise.allSettled(
      texts.map((each) => registerWorkflow(deps, { ...request, text: workflow(each) })),
    );
    const won = settled.filter((each) => each.status === "fulfilled");
    const lost = settled.filter((each) => each.status === "rejected");
    expect(lost.map(({ reason }) => (reason as { code: string }).code)).toEqual(["WORKFLOW_CONFLICT"]);
    const [hook] = (won[0] as PromiseFulfilledResult<Registered>).value.hooks;
    expect(await deps.hooks.authenticate(call(hook!))).toMatchObject({ name: "paid" });
    await unregisterWorkflow(deps, { ...request, name: "w" });
    await expect(deps.hooks.authenticate(call(hook!))).rejects.toMatchObject({ code: "HOOK_DENIED" });
  }
});

test("a registration that comes too late takes no webhook's secret away", async () => {
  const deps = await start();
  const request = { tenant: "default", by: "eve" };
  const { hooks } = await registerWorkflow(deps, { ...request, text: workflow("1") });
  const late = new HomeostatError("WORKFLOW_CONFLICT", "Somebody was faster");
  const registry = { ...deps.registry, add: () => Promise.reject(late) };
  const without = { ...request, text: `version: 1\nname: w\n${step("2")}` };
  await expect(registerWorkflow({ ...deps, registry }, without)).rejects.toBe(late);
  expect(await deps.hooks.authenticate(call(hooks[0]!))).toMatchObject({ name: "paid" });
});

test("a webhook of somebody whose key was revoked is refused until another one registers the same text", async () => {
  const deps = await start();
  const text = workflow("1");
  const { hooks } = await registerWorkflow(deps, { tenant: "default", text, by: "ada" });
  gone.add("ada");
  const calling = () => startFromHook(deps, { ...call(hooks[0]!), json: {} });
  await expect(calling()).rejects.toMatchObject({ code: "AUTHORIZATION_DENIED" });
  await registerWorkflow(deps, { tenant: "default", text, by: "bob" });
  const run = await calling();
  expect(run).toMatchObject({ requester: "bob" });
  // The same event is the same run, whoever registers the text.
  gone.clear();
  await registerWorkflow(deps, { tenant: "default", text, by: "ada" });
  expect((await calling()).id).toBe(run.id);
});
