import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../packages/client/src/client.ts";
import { createHome, removeHome, startTestSystem, token, untilPublished } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

let home: string;
let system: TestSystem;

beforeAll(async () => {
  home = await createHome();
  const rates =
    "limits:\n  rates:\n    writes: { of: tenant, action: file_ops.write, count: 2, within: 1h }\n";
  await writeFile(join(home, "homeostat.yaml"), rates);
  system = await startTestSystem(home);
}, 60_000);

afterAll(async () => {
  await system.stop();
  await removeHome(home);
});

const clientOf = (key: string) => createClient({ baseUrl: system.url, token: key });
type Client = ReturnType<typeof clientOf>;

const workflow = `version: 1
name: waiting
steps: [{ id: only, tool: file_ops.write, with: { path: workspace/a.txt, content: a } }]
`;

async function runOf(client: Client): Promise<string> {
  const { id } = await client.call("tasks.submit", { body: { workflow }, idempotencyKey: "one" });
  await expect
    .poll(async () => (await client.call("runs.get", { params: { id } })).endedAt, { timeout: 10_000 })
    .not.toBeNull();
  return id;
}

test("a key for another tenant begins it; runs, lists, limits and the ledger of the two are apart", async () => {
  const owner = clientOf(token);
  const made = await owner.call("keys.create", { body: { principal: "ann", role: "admin", tenant: "acme" } });
  expect(made).toMatchObject({ principal: "ann", tenant: "acme", role: "admin" });
  const acme = clientOf(made.key);
  const other = await acme.call("keys.create", { body: { principal: "bob", role: "viewer" } });
  expect(other.tenant).toBe("acme");
  for (const tenant of ["default", "third"]) {
    const wanted = acme.call("keys.create", { body: { principal: "cy", role: "viewer", tenant } });
    await expect(wanted).rejects.toMatchObject({ code: "AUTHORIZATION_DENIED" });
  }

  const [mine, theirs] = [await runOf(owner), await runOf(acme)];
  expect(mine).not.toBe(theirs);
  const listed = async (client: Client): Promise<string[]> =>
    (await client.call("runs.list", {})).data.map(({ id }) => id);
  expect([await listed(owner), await listed(acme)]).toEqual([[mine], [theirs]]);
  await expect(acme.call("runs.get", { params: { id: mine } })).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
  });
  const namesOf = async (client: Client, tenant?: string): Promise<string[]> =>
    (await client.call("keys.list", { query: tenant === undefined ? {} : { tenant } })).data.map(
      ({ principal }) => principal,
    );
  expect([await namesOf(owner), await namesOf(owner, "acme"), await namesOf(owner, "*")]).toEqual([
    [],
    ["ann", "bob"],
    ["ann", "bob"],
  ]);
  for (const tenant of ["default", "*"])
    await expect(namesOf(acme, tenant)).rejects.toMatchObject({ code: "AUTHORIZATION_DENIED" });

  // Each has drawn on a bucket of its own, and acme is told of its own alone.
  const keys = async (client: Client): Promise<string[]> =>
    (await client.call("limits.get", {})).buckets.map(({ key }) => key).toSorted();
  expect([await keys(owner), await keys(acme)]).toEqual([["writes/acme", "writes/default"], ["writes/acme"]]);
  await untilPublished(system);
  const { data } = await acme.call("ledger.entries", { query: { limit: 200 } });
  expect(new Set(data.map(({ entry }) => entry["tenant"]))).toEqual(new Set(["acme"]));
  await expect(acme.call("ledger.verify", { body: {} })).rejects.toMatchObject({
    code: "AUTHORIZATION_DENIED",
  });
  // The tenant that runs the server ends keys of all; the other sees that in its ledger.
  expect(await owner.call("keys.revoke", { params: { id: other.id } })).toMatchObject({
    principal: "bob",
    tenant: "acme",
    rememberedAnswersVoid: 0,
  });
  await untilPublished(system);
  const told = await acme.call("ledger.entries", { query: { limit: 200 } });
  expect(told.data.map(({ entry }) => entry["type"])).toContain("api_key.revoked");
}, 30_000);
