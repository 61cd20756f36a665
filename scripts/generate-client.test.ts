import { describe, expect, test } from "vitest";
import { generateClient, typeOf } from "./generate-client.ts";
import type { Document } from "./generate-client.ts";

describe("types from JSON Schema", () => {
  test.each([
    [{}, "unknown"],
    [{ type: "integer" }, "number"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ enum: ["a", 1, null] }, '"a" | 1 | null'],
    [{ const: "x" }, '"x"'],
    [{ $ref: "#/components/schemas/Run" }, "Run"],
    [{ anyOf: [{ $ref: "#/x/Run" }, { type: "null" }] }, "Run | null"],
    [
      { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } },
      "readonly (string | number)[]",
    ],
    [{ type: "array" }, "readonly (unknown)[]"],
    [{ type: "object", additionalProperties: { type: "number" } }, "{ readonly [key: string]: number }"],
    [{ type: "object", additionalProperties: false }, "{ readonly [key: string]: never }"],
    [
      { type: "object", properties: { a: { type: "string" }, "b-c": {} }, required: ["a"] },
      '{ readonly a: string;\nreadonly "b-c"?: unknown | undefined; }',
    ],
  ])("%j is %s", (schema, expected) => {
    expect(typeOf(schema)).toBe(expected);
  });
});

test("each operation gets its input, its answer and its row", () => {
  const json = (schema: object): object => ({ content: { "application/json": { schema } } });
  const document = {
    info: { title: "T", version: "1" },
    components: { schemas: { Run: { type: "object", description: "One\nrun */ x", properties: {} } } },
    paths: {
      "/v1/runs/{id}": {
        get: {
          operationId: "runs.get",
          summary: "One run",
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "string" } },
            { name: "limit", in: "query", schema: { type: "integer" }, description: "How many" },
            { name: "Idempotency-Key", in: "header", schema: { type: "string" } },
          ],
          responses: { 200: json({ $ref: "#/components/schemas/Run" }), default: json({}) },
        },
      },
      "/v1/tile/{path}": {
        get: {
          operationId: "tile.get",
          parameters: [
            { name: "path", in: "path", required: true, schema: { type: "string" }, "x-rest": true },
          ],
          responses: { 200: { content: { "application/octet-stream": {} } } },
        },
      },
      "/v1/stream": {
        get: { operationId: "all.stream", responses: { 200: { content: { "text/event-stream": {} } } } },
        delete: { operationId: "all.delete", responses: { 204: {} } },
      },
    },
  } as unknown as Document;
  const text = generateClient(document);
  expect(text).toContain("/** One run *\\/ x */");
  expect(text).toContain('"runs.get": { method: "GET", path: "/v1/runs/{id}", kind: "json" }');
  expect(text).toContain(
    '"tile.get": { method: "GET", path: "/v1/tile/{path}", kind: "bytes", rest: "path" }',
  );
  expect(text).toContain('"all.stream": { method: "GET", path: "/v1/stream", kind: "sse" }');
  expect(text).toContain('"all.delete": { method: "DELETE", path: "/v1/stream", kind: "none" }');
  expect(text).toMatch(
    /readonly params: \{ readonly id: string; \};\s+readonly query: \{ \/\*\* How many \*\/\s+readonly limit\?: number \| undefined; \}/,
  );
  expect(text.indexOf('"all.delete"')).toBeLessThan(text.indexOf('"tile.get"'));
});
