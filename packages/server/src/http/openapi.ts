/** Makes the OpenAPI 3.1 document from the routes: pure, so that the committed file and the served one cannot differ. */
import { z } from "zod";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { parsePath } from "./route.ts";
import type { Route } from "./route.ts";

export interface OpenApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

export type JsonSchema = { readonly [key: string]: unknown };

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly JsonSchema[];
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: JsonSchema;
  readonly responses: Readonly<Record<string, JsonSchema>>;
  /** The least role that may call it. */
  readonly "x-access": string;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
  /** The value keeps its slashes: it is the rest of the path. */
  readonly "x-rest"?: true;
}

export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: OpenApiInfo;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
}

/**
 * Schemas with `.meta({ id })` become components under that id. Throws INTERNAL when one id stands for two schemas that
 * differ (an input with defaults differs from its output: give such a pair two ids).
 */
export function createOpenApiDocument(routes: readonly Route[], info: OpenApiInfo): OpenApiDocument {
  const schemas: Record<string, JsonSchema> = { Problem: problemSchema };
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const route of routes) {
    const path = route.path.replace("{+", "{");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas) };
  }
  return { openapi: "3.1.0", info, paths, components: { schemas: sortKeys(schemas), securitySchemes } };
}

const securitySchemes: Readonly<Record<string, JsonSchema>> = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "The token in the file `token` of the data folder.",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "homeostat_session",
    description: "Set by POST /v1/session.",
  },
};

const placeProperties: JsonSchema = {
  pointer: { type: "string", description: "RFC 6901 pointer into the body." },
  detail: { type: "string" },
  hint: { type: "string" },
  file: { type: "string" },
  line: { type: "integer", minimum: 1 },
  column: { type: "integer", minimum: 1 },
  path: {
    type: "string",
    description: "The field in words, for example `query.limit` or `steps[2].with.path`.",
  },
};

const problemSchema: JsonSchema = {
  type: "object",
  description: "RFC 9457 problem document; every error of this API has this shape.",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What happened, with the actual values." },
    instance: { type: "string" },
    code: { type: "string", description: "Stable; programs tell errors apart by it." },
    hint: { type: "string", description: "What to do." },
    requestId: { type: "string", description: "Names the request in the log." },
    errors: {
      type: "array",
      items: { type: "object", properties: placeProperties, required: ["detail"] },
    },
  },
  required: ["type", "title", "status", "detail", "instance", "code", "hint", "requestId"],
};

function operationOf(route: Route, schemas: Record<string, JsonSchema>): OpenApiOperation {
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: route.tags,
    security: route.access === "public" ? [] : [{ bearer: [] }, { session: [] }],
    parameters: parametersOf(route, schemas),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body, schemas) }),
    responses: {
      [String(route.status ?? (route.response === "none" ? 204 : 200))]: successOf(route, schemas),
      default: {
        description: "Problem",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
    "x-access": route.access,
  };
}

function parametersOf(route: Route, schemas: Record<string, JsonSchema>): readonly OpenApiParameter[] {
  const parts = parsePath(route.path).filter((part) => part.kind !== "text");
  const fromPath = parts.map((part): OpenApiParameter => {
    const schema = route.params?.shape[part.value];
    const json = schema === undefined ? { type: "string" } : jsonSchema(schema, "input", schemas);
    const base = { name: part.value, in: "path", required: true, ...described(json) } as const;
    return part.kind === "rest" ? { ...base, "x-rest": true } : base;
  });
  const query = route.query === undefined ? {} : jsonSchema(route.query, "input", schemas);
  const required = new Set((query["required"] as readonly string[] | undefined) ?? []);
  const properties = (query["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const fromQuery = Object.entries(properties).map(([name, schema]): OpenApiParameter => ({
    name,
    in: "query",
    required: required.has(name),
    ...described(schema),
  }));
  return [...fromPath, ...fromQuery, ...headerParameters(route)];
}

function headerParameters(route: Route): readonly OpenApiParameter[] {
  const headers: OpenApiParameter[] = [];
  if (route.idempotent === true) {
    const description = "Retry safely: the first success under a key is kept 24 hours and answered again.";
    const schema = { type: "string", minLength: 1, maxLength: 255 };
    headers.push({ name: "Idempotency-Key", in: "header", required: false, description, schema });
  }
  if (route.response === "sse") {
    const description = "The id of the last event seen: the stream goes on after it.";
    headers.push({
      name: "Last-Event-ID",
      in: "header",
      required: false,
      description,
      schema: { type: "string" },
    });
  }
  return headers;
}

/** Moves a schema's description to the parameter, where readers of OpenAPI look for it. */
function described({ description, ...schema }: JsonSchema): Pick<OpenApiParameter, "description" | "schema"> {
  return typeof description === "string" ? { description, schema } : { schema };
}

function requestBody(body: z.ZodType, schemas: Record<string, JsonSchema>): JsonSchema {
  const required = !body.safeParse(undefined).success;
  return { required, content: { "application/json": { schema: jsonSchema(body, "input", schemas) } } };
}

function successOf(route: Route, schemas: Record<string, JsonSchema>): JsonSchema {
  switch (route.response) {
    case "none":
      return { description: "Done" };
    case "sse":
      return {
        description: "Server-sent events",
        content: { "text/event-stream": { schema: { type: "string" } } },
      };
    case "text":
      return { description: "Text", content: { "text/plain": { schema: { type: "string" } } } };
    case "bytes":
      return {
        description: "Bytes",
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      };
    default: {
      const schema = jsonSchema(route.response, "output", schemas);
      return { description: "Success", content: { "application/json": { schema } } };
    }
  }
}

/** A zod schema as JSON Schema 2020-12 (OpenAPI 3.1's dialect), its named parts moved into the components. */
function jsonSchema(
  schema: z.ZodType,
  io: "input" | "output",
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const {
    $schema: _dialect,
    $defs,
    ...json
  } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
  const definitions = Object.entries(($defs ?? {}) as Readonly<Record<string, JsonSchema>>);
  const names = new Map(definitions.map(([id, definition]) => [id, componentName(id, definition)]));
  for (const [id, { id: _id, ...definition }] of definitions) {
    addComponent(schemas, names.get(id)!, relocate(definition, names));
  }
  return relocate(json, names);
}

/** zod numbers recursive schemas without an id anew in each document; a name from the content is the same everywhere. */
function componentName(id: string, definition: JsonSchema): string {
  if (!id.startsWith("__schema")) return id;
  const shape = JSON.stringify(definition).replaceAll(`#/$defs/${id}"`, '#"');
  return shape === anyJsonShape ? "JsonValue" : `Shape${sha256(shape).slice(0, 8)}`;
}

/** What `z.json()` becomes: any JSON value. */
const anyJsonShape = JSON.stringify({
  anyOf: [
    { type: "string" },
    { type: "number" },
    { type: "boolean" },
    { type: "null" },
    { type: "array", items: { $ref: "#" } },
    { type: "object", propertyNames: { type: "string" }, additionalProperties: { $ref: "#" } },
  ],
});

function addComponent(schemas: Record<string, JsonSchema>, id: string, schema: JsonSchema): void {
  const known = schemas[id];
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new HomeostatError("INTERNAL", `Two different schemas are called ${id}`);
  }
  schemas[id] = schema;
}

/** Points references at the components and drops bounds that only repeat what a JSON integer is. */
function relocate(json: JsonSchema, names: ReadonlyMap<string, string>): JsonSchema {
  const text = JSON.stringify(json, (key: string, value: unknown) => {
    if (key === "maximum" && value === Number.MAX_SAFE_INTEGER) return undefined;
    if (key === "minimum" && value === Number.MIN_SAFE_INTEGER) return undefined;
    if (key !== "$ref" || typeof value !== "string") return value;
    const id = value.replace("#/$defs/", "");
    return `#/components/schemas/${names.get(id) ?? id}`;
  });
  return JSON.parse(text) as JsonSchema;
}

function sortKeys<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
