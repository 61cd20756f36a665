import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHome, removeHome, runToEnd, startTestSystem, token } from "./test-system.ts";
import type { TestSystem } from "./test-system.ts";

const value = "s3cr3t-of-the-shop-8842";
const seen: IncomingHttpHeaders[] = [];
let shop: Server;
let port: number;
let home: string;
let system: TestSystem;

beforeAll(async () => {
  shop = createServer((request, response) => {
    seen.push(request.headers);
    // An echo: what leaks most easily is what the other side sends back.
    const back = { got: request.headers.authorization, coded: Buffer.from(`a:${value}`).toString("base64") };
    response.setHeader("content-type", "application/json").end(JSON.stringify(back));
  });
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  port = (shop.address() as AddressInfo).port;
  home = await createHome();
  const place = `127.0.0.1:${port}`;
  system = await startTestSystem(home, {
    HOMEOSTAT_TOOLS_ALLOWED_HOSTS: place,
    HOMEOSTAT_TOOLS_ALLOW_PRIVATE: place,
  });
});

afterAll(async () => {
  await system.stop();
  await removeHome(home);
  await new Promise((resolve) => shop.close(resolve));
});

function call(method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${system.url}/v1/secrets${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function buying(authorization: string): string {
  const url = `http://127.0.0.1:${port}/buy`;
  return `version: 1
name: buying
steps:
  - id: buy
    tool: http.request
    with: { method: POST, url: "${url}", headers: { authorization: "${authorization}" }, as: json }
`;
}

/** Every byte of the data folder outside of the keys, as one text; the database's write-ahead log included. */
async function everythingKept(): Promise<string> {
  const names = await readdir(home, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile() && !each.parentPath.startsWith(join(home, "keys")));
  const texts = await Promise.all(files.map((each) => readFile(join(each.parentPath, each.name), "latin1")));
  return texts.join("\n");
}

test("the tool gets the value; journal, approvals, ledger, logs and answers never hold it", async () => {
  const uses = [{ action: "http.request", resource: `http://127.0.0.1:${port}/**` }];
  expect((await call("PUT", "/shop-token", { value, uses })).status).toBe(200);
  const run = await runToEnd(system, { workflow: buying("Bearer secret://shop-token") });
  expect(run).toMatchObject({ state: "COMPLETED" });
  expect(seen.at(-1)?.authorization).toBe(`Bearer ${value}`);

  const detail = JSON.stringify(await system.api.get(`/v1/runs/${run.id}`));
  expect(detail).toContain("secret://shop-token@1");
  expect(detail).toContain("REDACTED");
  expect(JSON.stringify(await system.api.get("/v1/approvals?status=all"))).toContain("secret://shop-token@1");
  expect(await (await call("GET", "")).text()).not.toContain(value);

  const kept = await everythingKept();
  expect(kept).toContain("shop-token");
  expect(kept).not.toContain(value);
  expect(kept).not.toContain(Buffer.from(`a:${value}`).toString("base64").slice(4, 24));
});

test("a value in the workflow is refused at the door, a handle that is not granted at the gate", async () => {
  const refused = system.api.post("/v1/tasks", { workflow: buying(`Bearer ${value}`) });
  await expect(refused).rejects.toThrow(/looks like a secret/);
  await call("PUT", "/other", {
    value: "another-value-1",
    uses: [{ action: "code_exec.*", resource: "**" }],
  });
  const before = seen.length;
  const run = await runToEnd(system, { workflow: buying("Bearer secret://other") });
  expect(run).toMatchObject({ state: "FAILED", error: { code: "SECRET_DENIED" } });
  const unknown = await runToEnd(system, { workflow: buying("Bearer secret://shop-tokn") });
  expect(unknown).toMatchObject({ error: { code: "SECRET_NOT_FOUND" } });
  expect(seen).toHaveLength(before);
});

test("bad secrets are refused with the reason, and a removed one is gone", async () => {
  const uses = [{ action: "http.*", resource: "**" }];
  const problem = async (body: object): Promise<string> => await (await call("PUT", "/bad", body)).text();
  expect(await problem({ value: "short", uses })).toContain("at least 8");
  expect(await problem({ value: "long enough", uses: [] })).toContain("granted for nothing");
  expect(await problem({ uses })).toContain("either `value` or `reference`");
  expect((await call("DELETE", "/shop-token")).status).toBe(204);
  expect((await call("DELETE", "/shop-token")).status).toBe(404);
  const run = await runToEnd(system, { workflow: buying("Bearer secret://shop-token") });
  expect(run).toMatchObject({ error: { code: "SECRET_NOT_FOUND" } });
});
