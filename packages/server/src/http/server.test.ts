import { createServer } from "node:http";
import { connect } from "node:net";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../base/clock.ts";
import { HomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Problem } from "./problem.ts";
import { route } from "./route.ts";
import type { Route } from "./route.ts";
import { startTestServer } from "./test-server.ts";

const thing = z.object({ id: z.string(), size: z.number() });

const echo: Route = route({
  method: "POST",
  path: "/v1/things/{id}",
  operationId: "things.put",
  summary: "Put a thing",
  tags: ["things"],
  access: "operator",
  params: z.object({ id: z.string().max(64) }),
  query: z.object({ dryRun: z.stringbool().optional() }),
  body: z.strictObject({
    size: z.number().min(1),
    parts: z.array(z.strictObject({ name: z.string().min(1) })).default([]),
  }),
  bodyLimitBytes: 2_000,
  response: thing,
  handle: ({ params, body }) => ({ id: params.id, size: body.size }),
});

const list: Route = route({
  method: "GET",
  path: "/v1/things",
  operationId: "things.list",
  summary: "List things",
  tags: ["things"],
  access: "viewer",
  query: z.object(pageQuery),
  response: pageOf(thing),
  handle: ({ query }) => ({ data: [{ id: `limit ${query.limit}`, size: 1 }], nextCursor: null }),
});

function failing(path: string, fail: () => never): Route {
  return route({
    method: "GET",
    path,
    operationId: `fail${path}`,
    summary: "Fails",
    tags: ["things"],
    access: "public",
    query: z.object({ token: z.string().optional() }),
    response: "none",
    handle: fail,
  });
}

async function problemFrom(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get("x-request-id"));
  return problem;
}

/** fetch refuses to send a Host header of our choosing; plain http does not. */
function rawGet(port: number, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end();
  });
}

function rawSend(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

function GET(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\nConnection: close\r\n\r\n`;
}

const json = { "content-type": "application/json" };

describe("answers", () => {
  test("a valid request reaches the handler and its answer follows the schema", async () => {
    await using server = await startTestServer([echo, list]);
    const response = await server.call("/v1/things/a%20b", {
      method: "POST",
      headers: json,
      body: '{"size":3}',
    });
    expect([response.status, await response.json()]).toEqual([200, { id: "a b", size: 3 }]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(response.headers.get("content-security-policy")).not.toContain("unsafe-inline");
    expect(response.headers.get("strict-transport-security")).toBeNull();
    const page = await server.call("/v1/things?limit=7");
    expect(await page.json()).toEqual({ data: [{ id: "limit 7", size: 1 }], nextCursor: null });
  });

  test("an answer that breaks its own schema is a fault, not sent", async () => {
    const lies = route({
      method: "GET",
      path: "/v1/lies",
      operationId: "lies.get",
      summary: "Lies",
      tags: ["things"],
      access: "public",
      response: thing,
      handle: () => ({ id: "x", size: "secret" as unknown as number }),
    });
    await using server = await startTestServer([lies]);
    const problem = await problemFrom(await fetch(`${server.url}/v1/lies`));
    expect(problem.code).toBe("INTERNAL");
    expect(JSON.stringify(problem)).not.toContain("secret");
  });

  test("bytes are sent as stream or buffer with the route's own headers", async () => {
    const bytes = (path: string, body: () => Uint8Array | Readable): Route =>
      route({
        method: "GET",
        path,
        operationId: path,
        summary: "Bytes",
        tags: ["things"],
        access: "viewer",
        params: z.object({ path: z.string() }),
        response: "bytes",
        handle: ({ params }) => ({
          body: body(),
          contentType: "image/png",
          headers: { "content-security-policy": "sandbox", "x-path": params.path },
        }),
      });
    await using server = await startTestServer([
      bytes("/v1/buffer/{path}", () => Buffer.from("abc")),
      bytes("/v1/tile/{+path}", () => Readable.from([Buffer.from("d"), Buffer.from("ef")])),
    ]);
    const buffer = await server.call("/v1/buffer/x");
    expect([await buffer.text(), buffer.headers.get("content-type")]).toEqual(["abc", "image/png"]);
    const stream = await server.call("/v1/tile/0/x001/067.p/8");
    expect(await stream.text()).toBe("def");
    expect(stream.headers.get("x-path")).toBe("0/x001/067.p/8");
    expect(stream.headers.get("content-security-policy")).toBe("sandbox");
    const escaping = await rawSend(server.port, GET("/v1/tile/a/%2e%2e/b"));
    expect(escaping).toContain("REQUEST_HOSTILE");
  });

  test("a caller's trace goes on when it is authenticated, and only then", async () => {
    await using server = await startTestServer([list, failing("/v1/fail", () => fail())]);
    const traceparent = `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`;
    const answer = await server.call("/v1/things", { headers: { traceparent } });
    expect(answer.headers.get("traceparent")).toMatch(new RegExp(`^00-${"ab".repeat(16)}-[0-9a-f]{16}-01$`));
    const stranger = await fetch(`${server.url}/v1/fail`, { headers: { traceparent } });
    expect(stranger.headers.get("traceparent")).not.toContain("abab");
    function fail(): never {
      throw new HomeostatError("NOT_FOUND", "no");
    }
  });
});

describe("wrong input", () => {
  test("every failing place is named with a pointer, unknown keys with the nearest known one", async () => {
    await using server = await startTestServer([echo]);
    const body = JSON.stringify({ size: 0, parts: [{ name: "" }, { nam: "x" }], siez: 1 });
    const response = await server.call("/v1/things/x?dryrun=1", { method: "POST", headers: json, body });
    expect(response.status).toBe(422);
    const problem = await problemFrom(response);
    expect(problem.code).toBe("REQUEST_INVALID");
    expect(problem.errors).toEqual([
      { path: "query.dryrun", detail: "Unknown key `dryrun`", hint: "did you mean `dryRun`?" },
      { pointer: "/size", detail: expect.stringContaining("Too small") as string },
      { pointer: "/parts/0/name", detail: expect.stringContaining("Too small") as string },
      { pointer: "/parts/1/name", detail: expect.stringContaining("expected string") as string },
      { pointer: "/parts/1/nam", detail: "Unknown key `nam`", hint: "did you mean `name`?" },
      { pointer: "/siez", detail: "Unknown key `siez`", hint: "did you mean `size`?" },
    ]);
  });

  test.each([
    ["a missing body", undefined, 422, "REQUEST_INVALID"],
    ["broken JSON", "{", 400, "REQUEST_MALFORMED"],
    ["a prototype key", '{"size":1,"__proto__":{"admin":true}}', 400, "REQUEST_HOSTILE"],
    ["a constructor with a prototype", '{"size":1,"constructor":{"prototype":{}}}', 400, "REQUEST_HOSTILE"],
    ["a NUL character", '{"size":1,"parts":[{"name":"a\\u0000b"}]}', 400, "REQUEST_HOSTILE"],
    ["half a surrogate pair", '{"size":1,"parts":[{"name":"a\\udfff"}]}', 400, "REQUEST_HOSTILE"],
    ["bottomless nesting", "[".repeat(500) + "]".repeat(500), 400, "REQUEST_HOSTILE"],
    [
      "a body over the route's limit",
      JSON.stringify({ size: 1, parts: [{ name: "x".repeat(3_000) }] }),
      413,
      "REQUEST_TOO_LARGE",
    ],
  ])("%s is refused by code", async (_, body, status, code) => {
    await using server = await startTestServer([echo]);
    const response = await server.call("/v1/things/x", {
      method: "POST",
      headers: json,
      ...(body === undefined ? {} : { body }),
    });
    expect([response.status, (await problemFrom(response)).code]).toEqual([status, code]);
  });

  test("a streamed body without a length is held to the limit too", async () => {
    await using server = await startTestServer([echo]);
    const body = Readable.toWeb(Readable.from([Buffer.from('{"size":1,"x":"'), Buffer.alloc(5_000, 120)]));
    const init = { method: "POST", headers: json, body, duplex: "half" };
    const response = await server.call("/v1/things/x", init as unknown as RequestInit);
    expect(response.status).toBe(413);
  });

  test("bodies that are not JSON or are compressed are refused before they are read", async () => {
    await using server = await startTestServer([echo]);
    for (const headers of [{ "content-type": "text/plain" }, { ...json, "content-encoding": "gzip" }]) {
      const response = await server.call("/v1/things/x", { method: "POST", headers, body: '{"size":1}' });
      expect((await problemFrom(response)).code).toBe("REQUEST_UNSUPPORTED");
    }
    const latin = await server.call("/v1/things/x", {
      method: "POST",
      headers: json,
      body: Buffer.from([0x22, 0xe9, 0x22]),
    });
    expect((await problemFrom(latin)).code).toBe("REQUEST_MALFORMED");
  });

  test("hostile addresses are refused by code", async () => {
    await using server = await startTestServer([echo, list]);
    const codes = [];
    for (const path of [
      `/v1/things?cursor=${"x".repeat(9_000)}`,
      "/v1/things?cursor=a%00b",
      "/v1/things?cursor=a%01b&x=%FF",
      "/v1/things/%00",
      "/v1/%zz",
    ]) {
      codes.push((await problemFrom(await server.call(path))).code);
    }
    const hostile = codes.slice(0, -1);
    expect(hostile).toEqual(hostile.map(() => "REQUEST_HOSTILE"));
    expect(codes.at(-1)).toBe("REQUEST_MALFORMED");
    const long = await server.call(`/v1/things/${"x".repeat(5_000)}`, {
      method: "POST",
      headers: json,
      body: "{}",
    });
    expect((await problemFrom(long)).code).toBe("REQUEST_MALFORMED");
  });

  test("what is not HTTP gets a short answer and no words of ours about why", async () => {
    await using server = await startTestServer([list]);
    const answer = await rawSend(server.port, "NONSENSE\r\n\r\n");
    expect(answer).toContain("HTTP/1.1 400");
    expect(answer).not.toContain("at ");
    const large = await rawSend(
      server.port,
      `GET / HTTP/1.1\r\nHost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
    );
    expect(large).toContain("HTTP/1.1 431");
  });

  test("unknown addresses and methods say what there is", async () => {
    await using server = await startTestServer([echo, list]);
    expect((await problemFrom(await server.call("/v1/nothing"))).code).toBe("NOT_FOUND");
    const wrong = await server.call("/v1/things", { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET"]);
    expect((await problemFrom(wrong)).detail).toBe("/v1/things does not take DELETE, only GET");
  });

  test("a route whose body takes unknown keys somewhere keeps the server from starting", async () => {
    const loose = route({
      method: "POST",
      path: "/v1/loose",
      operationId: "loose.post",
      summary: "Loose",
      tags: ["things"],
      access: "public",
      body: z.strictObject({ options: z.object({ a: z.string() }).optional() }),
      response: "none",
      handle: () => undefined,
    });
    await expect(startTestServer([loose])).rejects.toThrow("body.options must be a z.strictObject");
  });
});

describe("faults", () => {
  test("no stack, path or foreign message leaves; the log has them under the request id", async () => {
    const lines: { context: object; message: string }[] = [];
    const keep = (context: object, message: string): void => void lines.push({ context, message });
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => logger };
    const broken = failing("/v1/broken", () => {
      throw new Error("secret at /home/somebody");
    });
    await using server = await startTestServer([broken], { logger });
    const response = await fetch(`${server.url}/v1/broken?token=hst_x`, {
      headers: { authorization: "Bearer abc" },
    });
    const text = await response.clone().text();
    const problem = await problemFrom(response);
    expect([problem.status, problem.code, problem.instance]).toEqual([500, "INTERNAL", "/v1/broken"]);
    expect(text).not.toMatch(/secret|somebody|\.ts|hst_x/);
    const fault = lines.find(({ message }) => message.startsWith("INTERNAL"));
    expect(fault?.context).toMatchObject({
      requestId: problem.requestId,
      err: { message: "secret at /home/somebody" },
    });
    const line = lines.find(({ message }) => message === "GET /v1/broken 500");
    expect(line?.context).toMatchObject({ status: 500, operation: "fail/v1/broken", principal: "anonymous" });
    expect(JSON.stringify(lines)).not.toMatch(/hst_x|Bearer/);
  });

  test("a handler that takes too long is answered TIMEOUT and its signal is aborted", async () => {
    let reason: unknown;
    const slow = route({
      method: "GET",
      path: "/v1/slow",
      operationId: "slow.get",
      summary: "Slow",
      tags: ["things"],
      access: "public",
      timeoutMs: 50,
      response: "none",
      handle: ({ signal }) =>
        new Promise<void>(() => signal.addEventListener("abort", () => (reason = signal.reason))),
    });
    await using server = await startTestServer([slow]);
    const problem = await problemFrom(await fetch(`${server.url}/v1/slow`));
    expect([problem.status, problem.code]).toEqual([504, "TIMEOUT"]);
    expect(reason).toMatchObject({ code: "TIMEOUT" });
  });

  test("when the caller goes away the handler's signal is aborted", async () => {
    const seen = Promise.withResolvers<unknown>();
    const started = Promise.withResolvers<void>();
    const waits = route({
      method: "GET",
      path: "/v1/waits",
      operationId: "waits.get",
      summary: "Waits",
      tags: ["things"],
      access: "public",
      response: "none",
      handle: ({ signal }) =>
        new Promise<void>((resolve) => {
          started.resolve();
          signal.addEventListener("abort", () => {
            seen.resolve(signal.reason);
            resolve();
          });
        }),
    });
    await using server = await startTestServer([waits]);
    const leave = new AbortController();
    const call = fetch(`${server.url}/v1/waits`, { signal: leave.signal }).catch(() => undefined);
    await started.promise;
    leave.abort();
    await call;
    expect(await seen.promise).toMatchObject({ message: "The caller went away" });
  });
});

describe("who may call", () => {
  test("without or with a wrong token it says 401 and how to authenticate", async () => {
    await using server = await startTestServer([list]);
    const none = await fetch(`${server.url}/v1/things`);
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="homeostat"']);
    const wrong = await server.call("/v1/things", { headers: { authorization: "Bearer nobody" } });
    expect(wrong.headers.get("www-authenticate")).toBe('Bearer realm="homeostat", error="invalid_token"');
    expect((await problemFrom(wrong)).code).toBe("AUTHENTICATION_REQUIRED");
    const basic = await server.call("/v1/things", { headers: { authorization: "Basic YWRtaW46" } });
    expect(basic.status).toBe(401);
  });

  test("guessing is slowed down per address while the right token always passes", async () => {
    await using server = await startTestServer([list]);
    const statuses: number[] = [];
    for (let guess = 0; guess < 12; guess++) {
      const response = await server.call("/v1/things", {
        headers: { authorization: `Bearer guess${guess}` },
      });
      statuses.push(response.status);
      if (guess === 11) expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    expect((await server.call("/v1/things")).status).toBe(200);
  });

  test("a role below what the route asks for is refused before the body is read", async () => {
    await using server = await startTestServer([echo]);
    const response = await server.call("/v1/things/x", {
      method: "POST",
      headers: { ...json, authorization: "Bearer viewer" },
      body: "x".repeat(10_000),
    });
    const problem = await problemFrom(response);
    expect([problem.status, problem.detail]).toEqual([
      403,
      "things.put needs the role operator; viewer has viewer",
    ]);
  });

  test("a Host header that is not ours is refused: DNS rebinding ends here, except for probes", async () => {
    const probe = route({
      ...facts("/livez"),
      anyHost: true,
      response: "text",
      handle: () => ({ body: "ok" }),
    });
    await using server = await startTestServer([list, probe], {
      allowedHosts: ["Homeostat.LAN"],
      publicOrigins: ["https://agents.example.org"],
    });
    const authorization = "Bearer admin";
    const status = (host: string, path = "/v1/things"): Promise<number> =>
      rawGet(server.port, path, { host, authorization });
    for (const host of [
      "127.0.0.1:1",
      "localhost",
      "[::1]:7717",
      "homeostat.lan:80",
      "agents.example.org",
      "LOCALHOST.",
    ]) {
      expect([host, await status(host)]).toEqual([host, 200]);
    }
    for (const host of [
      "attacker.example",
      "127.0.0.1.attacker.example",
      "localhost.attacker.example:7717",
      "a b",
      "127.0.0.1@evil",
    ]) {
      expect([host, await status(host)]).toEqual([host, 403]);
    }
    expect(await status("10.0.0.9", "/livez")).toBe(200);
  });

  test("a page of another origin can neither change anything nor use the session cookie", async () => {
    await using server = await startTestServer([echo, list], {
      publicOrigins: ["https://agents.example.org"],
    });
    const cookie = "homeostat_session=admin";
    const own = `http://127.0.0.1:${server.port}`;
    const read = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}/v1/things`, { headers })).status;
    const write = async (headers: Record<string, string>): Promise<number> =>
      (
        await fetch(`${server.url}/v1/things/x`, {
          method: "POST",
          headers: { ...json, ...headers },
          body: '{"size":1}',
        })
      ).status;
    expect(await read({ cookie })).toBe(200);
    expect(await read({ cookie, "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await read({ cookie, "sec-fetch-site": "same-site" })).toBe(403);
    expect(await read({ cookie, "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await read({ cookie, origin: "http://127.0.0.1:1" })).toBe(403);
    expect(await write({ cookie })).toBe(403);
    expect(await write({ cookie, origin: own })).toBe(200);
    expect(await write({ cookie, origin: "https://agents.example.org" })).toBe(200);
    expect(await write({ cookie, origin: own.replace("http:", "ftp:") })).toBe(403);
    expect(await write({ cookie, origin: "null" })).toBe(403);
    expect(await write({ authorization: "Bearer admin" })).toBe(200);
    expect(await write({ authorization: "Bearer admin", origin: "https://attacker.example" })).toBe(403);
    expect(await write({ authorization: "Bearer admin", "sec-fetch-site": "cross-site" })).toBe(403);
  });
});

function facts(path: string): {
  method: "GET";
  path: string;
  operationId: string;
  summary: string;
  tags: string[];
  access: "public";
} {
  return { method: "GET", path, operationId: path, summary: path, tags: ["t"], access: "public" };
}

describe("start and stop", () => {
  test("a taken port is named with the process that has it", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(startTestServer([list], { port })).rejects.toMatchObject({
      code: "PORT_TAKEN",
      message: expect.stringContaining(
        `Port ${port} on 127.0.0.1 is used by process ${process.pid}`,
      ) as string,
    });
    other.close();
  });

  test("an address that is not of this machine is a configuration error", async () => {
    await expect(startTestServer([list], { host: "192.0.2.1" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  test("stopping lets a request under way finish and takes no new one", async () => {
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow = route({
      ...facts("/v1/slow"),
      response: "text",
      async handle() {
        entered.resolve();
        await gate.promise;
        return { body: "finished" };
      },
    });
    await using server = await startTestServer([slow]);
    const call = fetch(`${server.url}/v1/slow`);
    await entered.promise;
    const stopping = server.server.stop(5_000);
    await expect(fetch(`${server.url}/v1/slow`)).rejects.toThrow();
    gate.resolve();
    expect(await (await call).text()).toBe("finished");
    await stopping;
    expect(server.server.health().kind).toBe("failed");
  });

  test("a request that outlives the deadline is cut off", async () => {
    const entered = Promise.withResolvers<void>();
    const stuck = route({
      ...facts("/v1/stuck"),
      response: "none",
      handle: () => {
        entered.resolve();
        return new Promise<void>(() => undefined);
      },
    });
    await using server = await startTestServer([stuck]);
    const call = fetch(`${server.url}/v1/stuck`).catch((error: unknown) => error);
    await entered.promise;
    const startedAt = systemClock.monotonic();
    await server.server.stop(200);
    expect(systemClock.monotonic() - startedAt).toBeLessThan(2_000);
    expect(await call).toBeInstanceOf(Error);
  });
});

describe("the dashboard", () => {
  test("files are served, its own addresses get the page, the API's do not", async () => {
    const folder = await mkdtemp(join(tmpdir(), "homeostat-web-"));
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), "<!doctype html><title>H</title>");
    await writeFile(join(folder, "assets", "app-1a2b.js"), "1");
    await writeFile(join(folder, ".env"), "SECRET=1");
    await using server = await startTestServer([list], { staticFolder: folder });
    const get = (path: string, accept = "text/html"): Promise<Response> =>
      fetch(`${server.url}${path}`, { headers: { accept } });
    const page = await get("/runs/run_1");
    expect([page.status, page.headers.get("cache-control")]).toEqual([200, "no-cache"]);
    expect(await page.text()).toContain("<title>H</title>");
    expect(await (await get("/")).text()).toContain("<title>H</title>");
    const asset = await get("/assets/app-1a2b.js", "*/*");
    expect(asset.headers.get("cache-control")).toContain("immutable");
    const missing = ["/assets/gone.js", "/v1/nothing", "/.env"];
    for (const path of missing)
      expect([path, (await get(path)).status]).toEqual([path, expect.toSatisfy((status) => status >= 400)]);
    expect(await rawSend(server.port, GET("/%2e%2e/%2e%2e/etc/passwd"))).toMatch(/^HTTP\/1.1 4/);
    expect(await rawSend(server.port, GET("/../../etc/passwd"))).toMatch(/^HTTP\/1.1 404/);
    expect((await get("/runs", "application/json")).status).toBe(404);
    await rm(folder, { recursive: true });
  });

  test("without a built dashboard the answer says how to build it", async () => {
    await using server = await startTestServer([list]);
    expect((await problemFrom(await fetch(`${server.url}/`))).hint).toContain("npm run build");
  });
});
