/** What may stand at a place of a policy file, and what a key means, out of the JSON schema and the server's tools. Pure. */
import type { YamlPlace } from "./yaml-place.ts";

/** The parts of JSON Schema that the policy's schema uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

export interface ToolWords {
  readonly name: string;
  readonly description: string;
  /** Names of its arguments. */
  readonly args: readonly string[];
}

export interface Language {
  readonly schema: Schema;
  readonly tools: readonly ToolWords[];
  readonly roles: readonly string[];
}

export interface Completion {
  readonly label: string;
  /** One sentence; empty when there is none. */
  readonly help: string;
  /** What replaces the typed part. */
  readonly insert: string;
}

const mostShown = 40;

/** Best first: what begins like the typed part, then what contains it. Empty when nothing fits or it is all typed. */
export function completionsAt(language: Language, place: YamlPlace): readonly Completion[] {
  const all = place.kind === "key" ? keysAt(language, place) : valuesAt(language, place.path);
  const typed = place.prefix.replace(/^["']/, "").toLowerCase();
  const begins = all.filter(({ label }) => label.toLowerCase().startsWith(typed));
  const contains = all.filter(
    ({ label }) => !begins.some((each) => each.label === label) && label.toLowerCase().includes(typed),
  );
  const found = [...begins, ...(typed === "" ? [] : contains)];
  if (found.length === 1 && found[0]?.insert.trimEnd() === place.prefix) return [];
  return found.slice(0, mostShown);
}

/** What the key at this path is for; undefined for keys nobody knows. */
export function helpFor({ schema }: Language, path: readonly string[]): string | undefined {
  const found = schemasAt(schema, path);
  if (found.length === 0) return undefined;
  const about = found.find((each) => each.description !== undefined)?.description ?? "";
  const values = [...new Set(found.flatMap((each) => valuesOf(each)))];
  const list = values.length === 0 ? "" : `One of ${values.join(", ")}.`;
  return [closed(about), list].filter((part) => part !== "").join(" ") || undefined;
}

function keysAt(language: Language, { path, taken }: YamlPlace): readonly Completion[] {
  const found = schemasAt(language.schema, path);
  const keys = new Map<string, Completion>();
  for (const schema of found) {
    const required = new Set(schema.required ?? []);
    for (const [label, inner] of Object.entries(schema.properties ?? {})) {
      if (taken.includes(label) || keys.has(label)) continue;
      const about = helpFor(language, [...path, label]) ?? inner.description ?? "";
      keys.set(label, {
        label,
        help: required.has(label) ? `Needed. ${about}`.trim() : about,
        insert: `${label}: `,
      });
    }
  }
  if (keys.size > 0) return [...keys.values()];
  // The place of a list's entry, or of a plain entry behind its dash.
  if (path.at(-1) === "[]") return valuesAt(language, path);
  const entries = valuesAt(language, [...path, "[]"]);
  if (entries.length > 0) return entries.map((entry) => ({ ...entry, insert: `- ${entry.insert}` }));
  return entryKeys(language, path);
}

/** Keys of a list's entries, each behind the dash that begins one. */
function entryKeys(language: Language, path: readonly string[]): readonly Completion[] {
  const isList = schemasAt(language.schema, path).some((schema) => schema.items !== undefined);
  if (!isList) return [];
  const inner = keysAt(language, { path: [...path, "[]"], taken: [], kind: "key", prefix: "", from: 0 });
  return inner.map((entry) => ({ ...entry, insert: `- ${entry.insert}` }));
}

function valuesAt(language: Language, path: readonly string[]): readonly Completion[] {
  const key = path.findLast((segment) => segment !== "[]") ?? "";
  const owner = path.slice(0, path.lastIndexOf(key));
  if (schemasAt(language.schema, path).length === 0) return [];
  if (key === "action") return actions(language);
  if (key === "arg") return argumentNames(language);
  if (key === "by" || (key === "role" && owner.at(-1) === "scope"))
    return language.roles.map((label) => ({ label, help: "", insert: label }));
  const values = schemasAt(language.schema, path).flatMap((schema) => [
    ...valuesOf(schema),
    ...(schema.items === undefined ? [] : resolve(language.schema, schema.items).flatMap(valuesOf)),
  ]);
  return [...new Set(values)].map((label) => ({ label, help: "", insert: label }));
}

function actions({ tools }: Language): readonly Completion[] {
  const groups = new Map<string, number>();
  for (const { name } of tools) {
    const group = name.split(".")[0] ?? name;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  return [
    ...tools.map(({ name, description }) => ({ label: name, help: description, insert: name })),
    ...[...groups]
      .filter(([, count]) => count > 1)
      .map(([group, count]) => ({ label: group, help: `All ${count} actions of ${group}.`, insert: group })),
    { label: "*", help: "Every action.", insert: '"*"' },
  ];
}

function argumentNames({ tools }: Language): readonly Completion[] {
  const users = new Map<string, string[]>();
  for (const { name, args } of tools)
    for (const arg of args) users.set(arg, [...(users.get(arg) ?? []), name]);
  return [...users].map(([label, names]) => ({ label, help: `Of ${names.join(", ")}.`, insert: label }));
}

/** Every schema that may hold at the path; `[]` steps into lists, and a key steps into maps, also those in lists. */
function schemasAt(root: Schema, path: readonly string[]): readonly Schema[] {
  let found = resolve(root, root);
  for (const segment of path) {
    found = found.flatMap((schema) => {
      const inner = segment === "[]" ? schema.items : ownProperty(schema, segment);
      return inner === undefined ? [] : resolve(root, inner);
    });
  }
  return found;
}

function ownProperty({ properties }: Schema, name: string): Schema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** The schema without references, and each of its alternatives. */
function resolve(root: Schema, schema: Schema): readonly Schema[] {
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace("#/$defs/", "")];
    return target === undefined ? [] : resolve(root, target);
  }
  return [schema, ...(schema.anyOf ?? []).flatMap((each) => resolve(root, each))];
}

function valuesOf(schema: Schema): readonly string[] {
  if (schema.enum !== undefined) return schema.enum.map(String);
  if (schema.const !== undefined) return [String(schema.const)];
  return schema.type === "boolean" ? ["true", "false"] : [];
}

function closed(sentence: string): string {
  return sentence === "" || /[.!?`]$/.test(sentence) ? sentence : `${sentence}.`;
}
