import { describe, expect, test } from "vitest";
import { z } from "zod";
import { healthRoutes, judgeReadiness } from "./health.ts";
import { createOpenApiDocument } from "./openapi.ts";
import { pageOf, pageQuery } from "./page.ts";
import { curlOf, referenceRoutes, renderReference } from "./reference-page.ts";
import { route } from "./route.ts";
import type { Route } from "./route.ts";
import { startTestServer } from "./test-server.ts";

const thing = z
  .object({ id: z.string(), size: z.int().min(0) })
  .meta({ id: "Thing", description: "A <thing>." });
const info = { title: "Homeostat", version: "0.1.0", description: "Runs & supervises." };
const facts = { tags: ["things"], access: "viewer" } as const;

const routes: readonly Route[] = [
  route({
    ...facts,
    method: "GET",
    path: "/v1/things",
    operationId: "things.list",
    summary: "List things",
    query: z.object(pageQuery),
    response: pageOf(thing),
    handle: () => ({ data: [], nextCursor: null }),
  }),
  route({
    ...facts,
    method: "POST",
    path: "/v1/things/{id}",
    operationId: "things.create",
    summary: "Create a thing",
    params: z.object({ id: z.string().describe("Its name") }),
    body: z.strictObject({ size: z.int().default(1) }),
    idempotent: true,
    status: 201,
    response: thing,
    handle: ({ params, body }) => ({ id: params.id, size: body.size }),
  }),
  route({
    ...facts,
    method: "GET",
    path: "/v1/tile/{+path}",
    operationId: "things.tile",
    summary: "Tile",
    params: z.object({ path: z.string() }),
    response: "bytes",
    handle: () => ({ body: Buffer.from(""), contentType: "application/octet-stream" }),
  }),
];

describe("the OpenAPI document", () => {
  const document = createOpenApiDocument(routes, info);

  test("holds every route with parameters, body and answers", () => {
    const create = document.paths["/v1/things/{id}"]?.["post"];
    expect(create).toMatchObject({
      operationId: "things.create",
      security: [{ bearer: [] }, { session: [] }],
      "x-access": "viewer",
      requestBody: { required: true },
      responses: {
        201: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } },
      },
    });
    expect(create?.parameters.map(({ name, in: place }) => `${place} ${name}`)).toEqual([
      "path id",
      "header Idempotency-Key",
    ]);
    expect(create?.parameters[0]).toMatchObject({ description: "Its name", required: true });
    expect(document.paths["/v1/things"]?.["get"]?.parameters[0]).toMatchObject({
      name: "limit",
      required: false,
    });
    expect(document.paths["/v1/tile/{path}"]?.["get"]?.parameters[0]).toMatchObject({
      name: "path",
      "x-rest": true,
    });
  });

  test("shares named schemas and keeps no reference that leads nowhere", () => {
    expect(Object.keys(document.components.schemas)).toEqual(["Problem", "Thing"]);
    const references = JSON.stringify(document).match(/#\/[^"]+/g) ?? [];
    for (const reference of references) {
      expect(document.components.schemas).toHaveProperty(reference.replace("#/components/schemas/", ""));
    }
  });

  test("calls any JSON value by one name wherever it stands", () => {
    const anything = route({
      ...facts,
      method: "POST",
      path: "/v1/anything",
      operationId: "anything.post",
      summary: "Anything",
      body: z.strictObject({ inputs: z.record(z.string(), z.json()), result: z.json().optional() }),
      response: z.json(),
      handle: () => null,
    });
    const made = createOpenApiDocument([anything], info);
    expect(Object.keys(made.components.schemas)).toEqual(["JsonValue", "Problem"]);
    expect(JSON.stringify(made)).not.toContain("__schema");
    expect(made.components.schemas["JsonValue"]).toMatchObject({
      anyOf: expect.arrayContaining([
        { type: "array", items: { $ref: "#/components/schemas/JsonValue" } },
      ]) as unknown,
    });
  });

  test("refuses one name for two shapes", () => {
    const other = route({
      ...facts,
      method: "GET",
      path: "/v1/other",
      operationId: "other.get",
      summary: "Other",
      response: z.object({ inner: z.object({ id: z.number() }).meta({ id: "Problem" }) }),
      handle: () => ({ inner: { id: 1 } }),
    });
    expect(() => createOpenApiDocument([other], info)).toThrow("Two different schemas are called Problem");
  });
});

describe("the reference page", () => {
  const document = createOpenApiDocument(routes, info);

  test("names every operation, schema and error, and escapes what it shows", () => {
    const page = renderReference(document);
    for (const wanted of [
      'id="things.create"',
      'id="schema-Thing"',
      'id="RUN_NOT_FOUND"',
      "A &lt;thing&gt;.",
      "Runs &amp; supervises.",
    ]) {
      expect(page).toContain(wanted);
    }
    expect(page).not.toMatch(/<script|https?:\/\//);
  });

  test("its curl commands can be pasted", () => {
    const operation = document.paths["/v1/things/{id}"]!["post"]!;
    expect(curlOf({ path: "/v1/things/{id}", method: "POST", operation })).toBe(
      [
        'curl -X POST "$URL/v1/things/ID"',
        '  -H "Authorization: Bearer $TOKEN"',
        '  -H "Idempotency-Key: $(uuidgen)"',
        '  -H "Content-Type: application/json" -d @body.json',
      ].join(" \\\n"),
    );
  });

  test("is served with a policy that lets in its one style sheet and nothing else", async () => {
    await using server = await startTestServer(referenceRoutes(() => document));
    const page = await fetch(`${server.url}/reference`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy") ?? "";
    const style = /<style>([\s\S]*)<\/style>/.exec(await page.text())![1]!;
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(style))).toString("base64");
    expect(policy).toContain(`style-src 'sha256-${digest}'`);
    expect(policy).not.toContain("script-src");
    const served = await (await fetch(`${server.url}/v1/openapi.json`)).json();
    expect(served).toEqual(JSON.parse(JSON.stringify(document)));
  });
});

describe("probes", () => {
  const part = (name: string, kind: "ok" | "degraded" | "failed") => ({
    name,
    health: kind === "ok" ? { kind } : { kind, detail: "secret path" },
  });

  test("one failed part makes the whole fail, a degraded one does not", () => {
    expect(judgeReadiness([part("a", "ok")], true).status).toBe("ok");
    expect(judgeReadiness([part("a", "ok"), part("b", "degraded")], true).status).toBe("degraded");
    expect(judgeReadiness([part("a", "degraded"), part("b", "failed")], true).status).toBe("failed");
    expect(judgeReadiness([part("a", "ok")], false).status).toBe("failed");
  });

  test("readiness answers 503 without details, liveness always", async () => {
    let parts = [part("store", "failed")];
    const metrics = {
      scrape: async () => ({ contentType: "text/plain; version=0.0.4", text: "homeostat_up 1\n" }),
    };
    await using server = await startTestServer(
      healthRoutes({ parts: () => parts, isReady: () => true, metrics }),
    );
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([
      503,
      '{"status":"failed","checks":[{"name":"store","kind":"failed"}]}',
    ]);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    parts = [part("store", "ok")];
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    const scraped = await fetch(`${server.url}/metrics`);
    expect([scraped.headers.get("content-type"), await scraped.text()]).toEqual([
      "text/plain; version=0.0.4",
      "homeostat_up 1\n",
    ]);
  });
});
