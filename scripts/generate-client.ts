/**
 * Writes packages/client/src/api.generated.ts from an OpenAPI document.
 *
 *   node scripts/generate-client.ts --from openapi.json      a file
 *   node scripts/generate-client.ts --url http://127.0.0.1:7717   a running server (no token needed)
 *   ... --check     writes nothing; exit code 1 when the file differs
 *   ... --out FILE  another target
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { resolveConfig, format } from "prettier";

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema | boolean;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly "x-rest"?: boolean;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface Document {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** How the client reads an answer. */
type AnswerKind = "json" | "text" | "bytes" | "sse" | "none";

const targetFile = new URL("../packages/client/src/api.generated.ts", import.meta.url).pathname;

/** Pure: the whole file's text, not yet formatted. */
export function generateClient(document: Document): string {
  const operations = Object.entries(document.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )
    .sort((a, b) => (a.operation.operationId < b.operation.operationId ? -1 : 1));
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `${comment(schema.description)}export type ${name} = ${typeOf(schema)};`,
  );
  const types = operations.map(({ path, operation }) => {
    const kind = answerKind(operation);
    return `${comment(operation.summary)}"${operation.operationId}": {
      readonly kind: "${kind}";
      readonly params: ${parametersType(operation, "path")};
      readonly query: ${parametersType(operation, "query")};
      readonly body: ${bodyType(operation, path)};
      readonly answer: ${answerType(operation, kind)};
    };`;
  });
  const rows = operations.map(({ path, method, operation }) => {
    const restName = operation.parameters?.find((parameter) => parameter["x-rest"] === true)?.name;
    const rest = restName === undefined ? "" : `, rest: "${restName}"`;
    return `"${operation.operationId}": { method: "${method.toUpperCase()}", path: "${path}", kind: "${answerKind(operation)}"${rest} },`;
  });
  return `/** Made by scripts/generate-client.ts from the server's OpenAPI document; do not edit. */

${schemas.join("\n\n")}

/** Every operation's input and answer, by operationId. */
export interface Operations {
${types.join("\n")}
}

export type OperationId = keyof Operations;

export interface OperationFacts {
  readonly method: string;
  readonly path: string;
  readonly kind: "json" | "text" | "bytes" | "sse" | "none";
  /** The path parameter that keeps its slashes. */
  readonly rest?: string;
}

export const operations: Readonly<Record<OperationId, OperationFacts>> = {
${rows.join("\n")}
};
`;
}

/** A JSON Schema as a TypeScript type; what cannot be said becomes `unknown`. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? "unknown";
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)));
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return union(options.map(typeOf));
  if (schema.allOf !== undefined) return schema.allOf.map((part) => `(${typeOf(part)})`).join(" & ");
  if (schema.type === undefined) return schema.properties === undefined ? "unknown" : objectType(schema);
  return union([schema.type].flat().map((type) => simpleType(type, schema)));
}

function simpleType(type: string, schema: Schema): string {
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return arrayType(schema);
    case "object":
      return objectType(schema);
    default:
      return "unknown";
  }
}

function arrayType({ items, prefixItems }: Schema): string {
  if (prefixItems !== undefined) return `readonly [${prefixItems.map(typeOf).join(", ")}]`;
  return `readonly (${typeof items === "object" ? typeOf(items) : "unknown"})[]`;
}

function objectType(schema: Schema): string {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, member]) =>
      `${comment(member.description)}readonly ${propertyName(name)}${required.has(name) ? "" : "?"}: ${typeOf(member)}${required.has(name) ? "" : " | undefined"};`,
  );
  const extra = schema.additionalProperties;
  const rest =
    extra === true || typeof extra === "object" ? (extra === true ? "unknown" : typeOf(extra)) : undefined;
  if (members.length === 0)
    return `{ readonly [key: string]: ${rest ?? (extra === false ? "never" : "unknown")} }`;
  // With both, the index signature has to admit the named members too.
  return `{ ${members.join("\n")}${rest === undefined ? "" : "\nreadonly [key: string]: unknown;"} }`;
}

/** `undefined` when the operation has no parameters there. */
function parametersType({ parameters = [] }: Operation, place: string): string {
  const own = parameters.filter((parameter) => parameter.in === place);
  if (own.length === 0) return "undefined";
  const members = own.map(({ name, required, schema, description }) => {
    // A query is text anyway: numbers and booleans are taken as such and written out.
    const type =
      place === "query" && typeOf(schema) === "string" ? "string | number | boolean" : typeOf(schema);
    return `${comment(description)}readonly ${propertyName(name)}${required === true ? "" : "?"}: ${type}${required === true ? "" : " | undefined"};`;
  });
  return `{ ${members.join("\n")} }`;
}

function bodyType({ requestBody }: Operation, path: string): string {
  if (requestBody === undefined) return "undefined";
  const schema = requestBody.content["application/json"]?.schema;
  if (schema === undefined) throw new Error(`${path}: only application/json bodies are known here`);
  return requestBody.required === true ? typeOf(schema) : `${typeOf(schema)} | undefined`;
}

function answerKind({ responses }: Operation): AnswerKind {
  const content = success(responses);
  if (content === undefined) return "none";
  if ("application/json" in content) return "json";
  if ("text/event-stream" in content) return "sse";
  return "text/plain" in content ? "text" : "bytes";
}

function answerType({ responses }: Operation, kind: AnswerKind): string {
  switch (kind) {
    case "none":
      return "undefined";
    case "text":
      return "string";
    case "bytes":
      return "Uint8Array";
    case "sse":
      return "never";
    case "json":
      return typeOf(success(responses)?.["application/json"]?.schema ?? {});
  }
}

function success(responses: Operation["responses"]): Content | undefined {
  return Object.entries(responses).find(([status]) => status.startsWith("2"))?.[1].content;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(" | ");
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string | undefined): string {
  return text === undefined ? "" : `/** ${text.replaceAll("*/", "*\\/").replaceAll(/\s+/g, " ")} */\n`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      from: { type: "string" },
      url: { type: "string" },
      out: { type: "string", default: targetFile },
      check: { type: "boolean", default: false },
    },
  });
  if ((values.from === undefined) === (values.url === undefined)) {
    process.stderr.write("Give one of --from FILE and --url ADDRESS.\n");
    return 2;
  }
  const text =
    values.from === undefined ? await download(values.url ?? "") : await readFile(values.from, "utf8");
  const settings = (await resolveConfig(targetFile)) ?? {};
  const made = await format(generateClient(JSON.parse(text) as Document), {
    ...settings,
    parser: "typescript",
  });
  const existing = await readFile(values.out, "utf8").catch(() => "");
  if (made === existing) return 0;
  if (values.check) {
    process.stderr.write(`${values.out} is not what the document gives; run scripts/generate-client.ts.\n`);
    return 1;
  }
  await writeFile(values.out, made);
  process.stderr.write(`wrote ${values.out}\n`);
  return 0;
}

async function download(address: string): Promise<string> {
  const response = await fetch(new URL("/v1/openapi.json", address));
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.text();
}

if (import.meta.main) process.exitCode = await main();
