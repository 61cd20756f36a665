/** The API reference as one local page without scripts or outside requests, made from the OpenAPI document. */
import { hash } from "node:crypto";
import { errorCodes } from "../base/error-codes.ts";
import type { JsonSchema, OpenApiDocument, OpenApiOperation } from "./openapi.ts";
import { route } from "./route.ts";
import type { Route } from "./route.ts";

/** /v1/openapi.json and /reference. `document` is asked on each request; it is made once by the caller. */
export function referenceRoutes(document: () => OpenApiDocument): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/v1/openapi.json",
      operationId: "reference.openapi",
      summary: "This API as an OpenAPI 3.1 document",
      tags: ["reference"],
      access: "public",
      response: "text",
      handle: () => ({
        contentType: "application/json; charset=utf-8",
        body: JSON.stringify(document(), null, 2),
      }),
    }),
    route({
      method: "GET",
      path: "/reference",
      operationId: "reference.page",
      summary: "This API as a page to read",
      tags: ["reference"],
      access: "public",
      response: "text",
      handle: () => ({
        contentType: "text/html; charset=utf-8",
        body: renderReference(document()),
        // The page's one style sheet is inline; its digest lets in that text and no other.
        headers: {
          "content-security-policy": `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        },
      }),
    }),
  ];
}

/** Pure: document in, HTML out. */
export function renderReference(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0] ?? "other"))];
  const menu = tags.map((tag) => `<li><a href="#tag-${escape(tag)}">${escape(tag)}</a></li>`).join("");
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => (operation.tags[0] ?? "other") === tag);
    return `<section id="tag-${escape(tag)}"><h2>${escape(tag)}</h2>${own.map(renderOperation).join("")}</section>`;
  });
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) =>
    renderSchema(name, schema),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)} reference</title><style>${style}</style></head>
<body><nav aria-label="Sections"><strong>${escape(document.info.title)}</strong> ${escape(document.info.version)}
<ul>${menu}<li><a href="#schemas">schemas</a></li><li><a href="#errors">errors</a></li></ul></nav>
<main><h1>${escape(document.info.title)} API</h1><p>${escape(document.info.description)}</p>
<p>The same as a document for programs: <a href="/v1/openapi.json">/v1/openapi.json</a>. In the examples
<code>$TOKEN</code> is the content of the file <code>token</code> in the data folder and <code>$URL</code> the address
<code>homeostat up</code> printed.</p>
${sections.join("\n")}
<section id="schemas"><h2>schemas</h2>${schemas.join("\n")}</section>
${renderErrors()}</main></body></html>
`;
}

interface PlacedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: OpenApiOperation;
}

function renderOperation(placed: PlacedOperation): string {
  const { path, method, operation } = placed;
  const parameters = operation.parameters.map(
    ({ name, in: place, required, schema, description }) =>
      `<tr><td><code>${escape(name)}</code>${required ? "" : " (optional)"}</td><td>${place}</td><td>${renderType(schema)}</td><td>${escape(description ?? "")}</td></tr>`,
  );
  const table =
    parameters.length === 0
      ? ""
      : `<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>${parameters.join("")}</tbody></table>`;
  const body = schemaOf(operation.requestBody);
  const answers = Object.entries(operation.responses)
    .filter(([status]) => status !== "default")
    .map(([status, response]) => {
      const schema = schemaOf(response);
      return `<div>Answer <code>${status}</code>: ${schema === undefined ? escape(String(response["description"])) : renderType(schema)}</div>`;
    });
  return `<article id="${escape(operation.operationId)}"><h3><span class="method">${method}</span> <code>${escape(path)}</code></h3>
<p>${escape(operation.summary)}${operation.summary.endsWith(".") ? "" : "."} ${escape(operation.description ?? "")}</p>
<p class="facts">Operation <code>${escape(operation.operationId)}</code>, for ${operation["x-access"] === "public" ? "everybody" : `${operation["x-access"]} and above`}</p>
${table}${body === undefined ? "" : `<div>Body: ${renderType(body)}</div>`}${answers.join("")}
<details><summary>Try it with curl</summary><pre><code>${escape(curlOf(placed))}</code></pre></details></article>`;
}

/** A command to paste; path parts and bodies are placeholders in capitals. */
export function curlOf({ path, method, operation }: PlacedOperation): string {
  const address = `"$URL${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}"`;
  const isStream = Object.values(operation.responses).some(
    (response) => "text/event-stream" in contentOf(response),
  );
  const lines = [`curl${isStream ? " -N" : ""}${method === "GET" ? "" : ` -X ${method}`} ${address}`];
  if (operation["x-access"] !== "public") lines.push(`-H "Authorization: Bearer $TOKEN"`);
  if (operation.parameters.some(({ name }) => name === "Idempotency-Key"))
    lines.push(`-H "Idempotency-Key: $(uuidgen)"`);
  if (operation.requestBody !== undefined) lines.push(`-H "Content-Type: application/json" -d @body.json`);
  return lines.join(" \\\n  ");
}

function renderSchema(name: string, schema: JsonSchema): string {
  const description =
    typeof schema["description"] === "string" ? `<p>${escape(schema["description"])}</p>` : "";
  return `<article id="schema-${escape(name)}"><h3>${escape(name)}</h3>${description}${renderType(schema, true)}</article>`;
}

/** A schema in words; objects as a list of members. Recursion ends at references. */
function renderType(schema: JsonSchema, isTop = false): string {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.split("/").at(-1) ?? "";
    return `<a href="#schema-${escape(name)}">${escape(name)}</a>`;
  }
  const options = (schema["anyOf"] ?? schema["oneOf"]) as readonly JsonSchema[] | undefined;
  if (options !== undefined) return options.map((option) => renderType(option)).join(" or ");
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map((value) => `<code>${escape(JSON.stringify(value))}</code>`).join(" or ");
  if ("const" in schema) return `<code>${escape(JSON.stringify(schema["const"]))}</code>`;
  const type = [schema["type"] ?? "any value"].flat().join(" or ");
  if (type === "array") return `list of ${renderType((schema["items"] ?? {}) as JsonSchema)}`;
  const properties = schema["properties"] as Readonly<Record<string, JsonSchema>> | undefined;
  if (properties === undefined) return `${escape(type)}${renderBounds(schema)}`;
  const required = new Set((schema["required"] as readonly string[] | undefined) ?? []);
  const members = Object.entries(properties).map(([name, member]) => {
    const optional = required.has(name) ? "" : " (optional)";
    const meaning = typeof member["description"] === "string" ? `, ${escape(member["description"])}` : "";
    return `<li><code>${escape(name)}</code>${optional}${meaning}: ${renderType(member)}</li>`;
  });
  return `${isTop ? "" : "object"}<ul>${members.join("")}</ul>`;
}

function renderBounds(schema: JsonSchema): string {
  const bounds = ["minimum", "maximum", "minLength", "maxLength", "format", "default"]
    .filter((key) => key in schema)
    .map((key) => `${key} ${JSON.stringify(schema[key])}`);
  return bounds.length === 0 ? "" : ` <small>(${escape(bounds.join(", "))})</small>`;
}

function renderErrors(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, hint }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escape(hint)}</td></tr>`,
  );
  return `<section id="errors"><h2>errors</h2><p>Every error is a problem document (RFC 9457); programs tell them apart by <code>code</code>.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>What to do</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

function contentOf(response: JsonSchema): Readonly<Record<string, { readonly schema?: JsonSchema }>> {
  return (response["content"] ?? {}) as Readonly<Record<string, { readonly schema?: JsonSchema }>>;
}

function schemaOf(part: JsonSchema | undefined): JsonSchema | undefined {
  return part === undefined ? undefined : contentOf(part)["application/json"]?.schema;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** System fonts and colours that follow the reader's theme; contrast at least 4.5 to 1 in both. */
const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: light-dark(#0b57d0, #8ab4f8); }
body { margin: 0; display: grid; grid-template-columns: 13rem minmax(0, 1fr); font: 16px/1.55 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); box-sizing: border-box; }
nav ul { list-style: none; padding: 0; } nav li { margin: .35rem 0; }
main { padding: 1.5rem 2rem; max-width: 60rem; }
a { color: var(--link); } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
article { margin: 1.5rem -1rem; padding: .1rem 1rem .5rem; border-radius: 6px; } details, article > div { margin: .5rem 0; } article ul { margin: .25rem 0; }
h3 code { font-size: 1em; } .method { font-weight: 700; } .facts { opacity: .8; margin-top: -.5rem; }
code, pre { font: .9em/1.5 ui-monospace, monospace; } pre { background: var(--soft); padding: 1rem; overflow: auto; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
:target { background: var(--soft); outline: 2px solid var(--link); }
@media (max-width: 45rem) { body { display: block; } nav { position: static; height: auto; border: 0; } }
`;
