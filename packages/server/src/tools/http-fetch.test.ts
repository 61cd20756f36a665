import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../base/canonical-json.ts";
import { decodeBody } from "./http-body.ts";
import type { ExchangeDeps } from "./http-exchange.ts";
import { createHttpGetTool, createHttpRequestTool, resolveHostBySystem } from "./http-fetch.ts";
import { HomeostatError } from "../base/error.ts";
import { createTestContext, perform, prepare } from "./testing-context.ts";
import type { ToolContext } from "./tool.ts";

interface Site {
  readonly url: string;
  readonly place: string;
  readonly seen: {
    readonly method: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }[];
}

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

async function createSite(respond: Respond): Promise<Site> {
  const seen: Site["seen"] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      seen.push({ method: request.method!, headers: request.headers, body });
      respond(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${place}`, place, seen };
}

function depsFor(sites: readonly Site[], overrides: Partial<ExchangeDeps> = {}): ExchangeDeps {
  return {
    allowedHosts: sites.map((site) => site.place),
    allowPrivate: sites.map((site) => site.place),
    isOwnListener: () => false,
    resolveHost: async () => {
      throw new Error("this test resolves no names");
    },
    ...overrides,
  };
}

async function get(
  deps: ExchangeDeps,
  given: JsonObject,
  context: Partial<ToolContext> = {},
): Promise<JsonObject> {
  const result = await perform(createHttpGetTool(deps), given, { ...createTestContext(), ...context });
  expect(result.labels).toEqual(["web"]);
  return result.output as JsonObject;
}

describe("http.get", () => {
  test("answers with status, headers and body by content type", async () => {
    const site = await createSite((request, response) => {
      if (request.url === "/json")
        response.setHeader("content-type", "application/problem+json").end('{"a":1}');
      else if (request.url === "/text")
        response.setHeader("content-type", "text/plain; charset=latin1").end("\xe9", "latin1");
      else response.setHeader("set-cookie", "a=b").end(Buffer.from([255, 0]));
    });
    const deps = depsFor([site]);
    expect(await get(deps, { url: `${site.url}/json` })).toMatchObject({
      status: 200,
      url: `${site.url}/json`,
      encoding: "json",
      body: { a: 1 },
      sizeBytes: 7,
      redirects: [],
    });
    expect(await get(deps, { url: `${site.url}/text` })).toMatchObject({ encoding: "text", body: "é" });
    const bytes = await get(deps, { url: `${site.url}/bytes` });
    expect(bytes).toMatchObject({ encoding: "base64", body: "/wA=" });
    expect(bytes["headers"]).not.toHaveProperty("set-cookie");
  });

  test("the action names the resource without query and keeps the whole address in its arguments", async () => {
    const site = await createSite((_request, response) => response.end());
    const tool = createHttpGetTool(depsFor([site]));
    const resolved = await prepare(
      tool,
      { url: `${site.url}/a?b=c#d`, headers: { "X-Key": "k" } },
      createTestContext(),
    );
    expect(resolved).toMatchObject({
      resource: `${site.url}/a`,
      args: { url: `${site.url}/a?b=c`, headers: { "x-key": "k" } },
      summary: `GET ${site.url}/a`,
    });
  });

  test("HEAD has no body; error statuses fail unless allowed, server faults are worth a retry", async () => {
    const site = await createSite((request, response) => {
      response.statusCode = Number(request.url!.slice(1));
      response.end("because");
    });
    const deps = depsFor([site]);
    expect(await get(deps, { url: `${site.url}/200`, method: "HEAD" })).toMatchObject({
      body: "",
      sizeBytes: 0,
    });
    await expect(get(deps, { url: `${site.url}/404` })).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { status: 404, body: "because", transient: false, didNotHappen: true },
    });
    await expect(get(deps, { url: `${site.url}/500` })).rejects.toMatchObject({ data: { transient: true } });
    expect(await get(deps, { url: `${site.url}/404`, allowErrorStatus: true })).toMatchObject({
      status: 404,
    });
  });

  test("hosts off the list, private addresses and our own listeners are refused before anything is sent", async () => {
    const site = await createSite((_request, response) => response.end());
    const refused = async (deps: ExchangeDeps, reason: string): Promise<void> => {
      await expect(get(deps, { url: site.url })).rejects.toMatchObject({
        code: "ACTION_DENIED",
        data: { reason },
      });
    };
    await refused(depsFor([site], { allowedHosts: [] }), "HOST_NOT_ALLOWED");
    await refused(depsFor([site], { allowPrivate: [] }), "ADDRESS_REFUSED");
    await refused(depsFor([site], { isOwnListener: () => true }), "ADDRESS_REFUSED");
    expect(site.seen).toHaveLength(0);
  });

  test("a name is connected to exactly where it was checked, although it would resolve elsewhere now", async () => {
    const site = await createSite((_request, response) => response.end("here"));
    const port = site.place.split(":")[1]!;
    let asked = 0;
    const deps = depsFor([site], {
      allowedHosts: [`rebinding.invalid:${port}`],
      resolveHost: async () => (asked++ === 0 ? ["127.0.0.1"] : ["10.0.0.1"]),
    });
    // The system's resolver knows no such name: only the checked address can have been used.
    expect(await get(deps, { url: `http://rebinding.invalid:${port}/`, as: "text" })).toMatchObject({
      body: "here",
    });
    expect(site.seen[0]!.headers.host).toBe(`rebinding.invalid:${port}`);
    await expect(get(deps, { url: `http://rebinding.invalid:${port}/` })).rejects.toMatchObject({
      data: { reason: "ADDRESS_REFUSED", address: "10.0.0.1" },
    });
  });

  test("one private address among public ones refuses the name", async () => {
    const deps = depsFor([], { allowedHosts: ["*"], resolveHost: async () => ["1.1.1.1", "127.0.0.1"] });
    await expect(get(deps, { url: "http://mixed.invalid/" })).rejects.toMatchObject({
      code: "ACTION_DENIED",
    });
  });

  test("a name that does not resolve is worth a retry", async () => {
    const unknown = depsFor([], { allowedHosts: ["*"], resolveHost: resolveHostBySystem });
    await expect(get(unknown, { url: "http://no-such-name.invalid/" })).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { transient: true },
    });
    const empty = depsFor([], { allowedHosts: ["*"], resolveHost: async () => [] });
    await expect(get(empty, { url: "http://empty.invalid/" })).rejects.toMatchObject({ code: "HTTP_FAILED" });
  });

  test("redirects are followed to allowed hosts, without credentials on another origin", async () => {
    const target = await createSite((_request, response) => response.end("there"));
    const site = await createSite((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/next" }).end();
      else response.writeHead(307, { location: `${target.url}/x` }).end();
    });
    const headers = { authorization: "Bearer secret", "x-api-key": "secret", accept: "text/plain" };
    const answer = await get(depsFor([site, target]), { url: `${site.url}/`, headers, as: "text" });
    expect(answer).toMatchObject({
      body: "there",
      url: `${target.url}/x`,
      redirects: [`${site.url}/next`, `${target.url}/x`],
    });
    expect(site.seen[1]!.headers).toMatchObject({ authorization: "Bearer secret", "x-api-key": "secret" });
    expect(target.seen[0]!.headers).toMatchObject({ accept: "text/plain" });
    expect(target.seen[0]!.headers).not.toHaveProperty("authorization");
    expect(target.seen[0]!.headers).not.toHaveProperty("x-api-key");
  });

  test("policy judges where a redirect leads before anything is sent there", async () => {
    const target = await createSite((_request, response) => response.end("internal"));
    const site = await createSite((_request, response) =>
      response.writeHead(302, { location: `${target.url}/wiki?a=b` }).end(),
    );
    const asked: string[] = [];
    const requireFurther = (resource: string): void => {
      asked.push(resource);
      throw new HomeostatError("ACTION_DENIED", `not ${resource}`);
    };
    const got = get(depsFor([site, target]), { url: site.url }, { requireFurther });
    await expect(got).rejects.toMatchObject({ code: "ACTION_DENIED" });
    expect(asked).toEqual([`${target.url}/wiki`]);
    expect(target.seen).toEqual([]);
  });

  test("a header that holds a secret does not follow a redirect to another path of the same host", async () => {
    const site = await createSite((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/other" }).end();
      else response.end("there");
    });
    const headers = { "x-key": "value of the secret", "x-plain": "a" };
    const sealedArgs = { headers: { ...headers, "x-key": "${{ secrets.key }}" } };
    await get(depsFor([site]), { url: `${site.url}/`, headers, as: "text" }, { sealedArgs });
    expect(site.seen[0]!.headers).toMatchObject(headers);
    expect(site.seen[1]!.headers).toMatchObject({ "x-plain": "a" });
    expect(site.seen[1]!.headers).not.toHaveProperty("x-key");
  });

  test.each([
    ["http://169.254.169.254/latest/meta-data/", "ACTION_DENIED"],
    ["http://localhost:1/", "ACTION_DENIED"],
    ["file:///etc/passwd", "ACTION_INVALID"],
    ["http://user:pass@127.0.0.1/", "ACTION_INVALID"],
  ])("a redirect to %s ends in %s", async (location, code) => {
    const site = await createSite((_request, response) => response.writeHead(301, { location }).end());
    await expect(get(depsFor([site]), { url: site.url })).rejects.toMatchObject({ code });
  });

  test("a redirect to a private address of an allowed name is refused", async () => {
    const site = await createSite((_request, response) =>
      response.writeHead(301, { location: "http://inside.invalid/" }).end(),
    );
    const deps = depsFor([site], { allowedHosts: ["*"], resolveHost: async () => ["192.168.0.1"] });
    await expect(get(deps, { url: site.url })).rejects.toMatchObject({ data: { address: "192.168.0.1" } });
  });

  test("more than five redirects are a loop", async () => {
    const site = await createSite((_request, response) => response.writeHead(302, { location: "/" }).end());
    await expect(get(depsFor([site]), { url: site.url })).rejects.toMatchObject({
      code: "HTTP_FAILED",
      message: expect.stringContaining("more than 5") as string,
    });
    expect(site.seen).toHaveLength(6);
  });

  test("the size limit counts what comes out of the decoder", async () => {
    const site = await createSite((request, response) => {
      if (request.url === "/bomb") {
        response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(1_000_000)));
      } else response.setHeader("content-encoding", "gzip").end(gzipSync("small"));
    });
    const deps = depsFor([site]);
    expect(await get(deps, { url: site.url, as: "text" })).toMatchObject({ body: "small" });
    await expect(get(deps, { url: `${site.url}/bomb`, maxBytes: 10_000 })).rejects.toMatchObject({
      code: "HTTP_TOO_LARGE",
    });
  });

  test("an answer that never ends stops with the step's own reason", async () => {
    const site = await createSite((_request, response) => response.write("a"));
    const signal = AbortSignal.timeout(100);
    await expect(get(depsFor([site]), { url: site.url }, { signal })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  test("a refused connection is worth a retry, a broken answer of a reading is too", async () => {
    const site = await createSite((request) => request.socket.destroy());
    await expect(get(depsFor([site]), { url: site.url })).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { transient: true, didNotHappen: false },
    });
    const nobody = { ...site, place: "127.0.0.1:1", url: "http://127.0.0.1:1" };
    await expect(get(depsFor([nobody]), { url: nobody.url })).rejects.toMatchObject({
      data: { errno: "ECONNREFUSED", transient: true },
    });
  });

  test.each([
    [{ Host: "other" }, "set by the connection"],
    [{ "Content-Length": "5" }, "set by the connection"],
    [{ "bad name": "x" }, "not a valid header"],
    [{ good: "a\r\nInjected: b" }, "not a valid header"],
    [{ A: "1", a: "2" }, "given twice"],
  ])("headers %j are refused", async (headers, why) => {
    const site = await createSite((_request, response) => response.end());
    await expect(get(depsFor([site]), { url: site.url, headers })).rejects.toMatchObject({
      code: "ACTION_INVALID",
      message: expect.stringContaining(why) as string,
    });
  });
});

describe("http.request", () => {
  test.each(["POST", "PUT"])("%s sends nothing over a connection that came too late", async (method) => {
    const site = await createSite((_, response) => response.end("ok"));
    let asked = 0;
    const requireTime = (): void => {
      asked += 1;
      throw new HomeostatError("TIMEOUT", "The time of 5 ms is over");
    };
    const context = createTestContext({ requireTime });
    const calling = perform(
      createHttpRequestTool(depsFor([site])),
      { url: site.url, method, body: "x" },
      context,
    );
    await expect(calling).rejects.toMatchObject({ code: "HTTP_FAILED", data: { didNotHappen: true } });
    expect([asked, site.seen]).toEqual([1, []]);
  });

  const send = async (site: Site, given: JsonObject): Promise<JsonObject> => {
    const tool = createHttpRequestTool(depsFor([site]));
    return (await perform(tool, { url: site.url, ...given }, createTestContext())).output as JsonObject;
  };

  test("sends text or JSON with the step's idempotency key", async () => {
    const site = await createSite((_request, response) => response.writeHead(201).end());
    expect(await send(site, { json: { a: 1 } })).toMatchObject({ status: 201 });
    await send(site, {
      method: "PUT",
      body: "größe",
      headers: { "Content-Type": "text/plain", "Idempotency-Key": "own" },
    });
    await send(site, { method: "DELETE" });
    expect(site.seen).toMatchObject([
      {
        method: "POST",
        body: '{"a":1}',
        headers: { "content-type": "application/json", "idempotency-key": "run_1/step/1" },
      },
      { method: "PUT", body: "größe", headers: { "content-length": "7", "idempotency-key": "own" } },
      { method: "DELETE", body: "" },
    ]);
    await expect(send(site, { json: 1, body: "x" })).rejects.toMatchObject({ code: "ACTION_INVALID" });
  });

  test("an odd answer to a change is told as it is, not as a failure", async () => {
    const site = await createSite((_request, response) =>
      response.writeHead(302, { location: "ftp://elsewhere/", "content-type": "text/plain" }).end("{"),
    );
    expect(await send(site, { as: "json" })).toMatchObject({ status: 302, encoding: "text", body: "{" });
  });

  test("a redirect is answered, never followed with a body", async () => {
    const site = await createSite((_request, response) =>
      response.writeHead(307, { location: "/again" }).end(),
    );
    expect(await send(site, { body: "x" })).toMatchObject({ status: 307, headers: { location: "/again" } });
    expect(site.seen).toHaveLength(1);
  });

  test("what may have happened is told as unknown, what cannot have happened as worth a retry", async () => {
    const lost = await createSite((request) => request.socket.destroy());
    await expect(send(lost, { body: "x" })).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { didNotHappen: false, transient: true },
    });
    const gateway = await createSite((_request, response) => response.writeHead(502).end());
    await expect(send(gateway, {})).rejects.toMatchObject({
      data: { didNotHappen: false, transient: true },
    });
    const busy = await createSite((_request, response) => response.writeHead(503).end());
    await expect(send(busy, {})).rejects.toMatchObject({ data: { didNotHappen: true, transient: true } });
    const wrong = await createSite((_request, response) => response.writeHead(400).end());
    await expect(send(wrong, {})).rejects.toMatchObject({
      data: { didNotHappen: true, transient: false },
    });
    const nobody = { ...wrong, place: "127.0.0.1:1", url: "http://127.0.0.1:1" };
    await expect(send(nobody, {})).rejects.toMatchObject({
      data: { didNotHappen: true, transient: true },
    });
  });

  test("a time-out before anything was sent is known to have done nothing", async () => {
    const tool = createHttpRequestTool(
      depsFor([], {
        allowedHosts: ["*"],
        resolveHost: async () => (await new Promise((go) => setTimeout(go, 50)), ["1.1.1.1"]),
      }),
    );
    const context = { ...createTestContext(), signal: AbortSignal.timeout(10) };
    await expect(perform(tool, { url: "http://slow.invalid/" }, context)).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { didNotHappen: true, transient: true },
    });
  });

  test("a time-out after sending leaves the outcome unknown too", async () => {
    const site = await createSite(() => undefined);
    const tool = createHttpRequestTool(depsFor([site]));
    const context = { ...createTestContext(), signal: AbortSignal.timeout(200) };
    await expect(perform(tool, { url: site.url, body: "x" }, context)).rejects.toMatchObject({
      code: "HTTP_FAILED",
      data: { didNotHappen: false, transient: true },
    });
  });
});

describe("decodeBody", () => {
  const decode = (text: string, type: string | undefined, as: "auto" | "text" | "json" | "base64"): unknown =>
    decodeBody(Buffer.from(text, "latin1"), type, as);

  test("auto falls back to what is true", () => {
    expect(decode("{", "application/json", "auto")).toEqual({ encoding: "text", body: "{" });
    expect(decode("", "application/json", "auto")).toEqual({ encoding: "text", body: "" });
    expect(decode("\xff", "text/plain", "auto")).toEqual({ encoding: "base64", body: "/w==" });
    expect(decode("x", "text/plain; charset=nonsense", "auto")).toEqual({ encoding: "base64", body: "eA==" });
    expect(decode("<a/>", "image/svg+xml", "auto")).toEqual({ encoding: "text", body: "<a/>" });
    expect(decode("x", undefined, "auto")).toEqual({ encoding: "base64", body: "eA==" });
  });

  test("what was asked for is given or refused", () => {
    expect(decode("1", undefined, "json")).toEqual({ encoding: "json", body: 1 });
    expect(() => decode("{", "application/json", "json")).toThrow("not JSON");
    expect(() => decode("\xff", "application/json", "json")).toThrow("not JSON");
    expect(decode("\xff", undefined, "text")).toEqual({ encoding: "text", body: "\ufffd" });
    expect(decode("x", "text/plain; charset=nonsense", "text")).toEqual({ encoding: "text", body: "x" });
  });
});
