/** Checks params, query and body against a route's schemas and reports every failing place at once. */
import type { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import type { ErrorDetail } from "../base/error.ts";
import { suggestName } from "../base/nearest.ts";
import type { Route } from "./route.ts";

export interface Inputs {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** The parsed values. Throws REQUEST_INVALID with one detail per failing place; body places are JSON pointers. */
export function validate(route: Route, inputs: Inputs): Inputs {
  const details: ErrorDetail[] = [];
  const params = parsePart(route.params, inputs.params, "params", details);
  const query = parsePart(route.query?.strict(), inputs.query, "query", details);
  if (route.query === undefined) refuseNames(inputs.query, details);
  const body = parseBody(route, inputs.body, details);
  if (details.length > 0) {
    const first = details[0]!;
    const more = details.length > 1 ? ` (and ${details.length - 1} more)` : "";
    const where = first.pointer === undefined ? first.path : first.pointer === "" ? "body" : first.pointer;
    throw new HomeostatError("REQUEST_INVALID", `${where}: ${first.detail}${more}`, {}, { details });
  }
  return { params, query, body };
}

/** Every issue of a zod error as places below `pointerOf`; a union's issues are those of its nearest branch. */
function issueDetails(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
  placeOf: (path: readonly PropertyKey[]) => Pick<ErrorDetail, "pointer" | "path">,
): readonly ErrorDetail[] {
  return flatten(issues, []).flatMap(({ issue, path }): readonly ErrorDetail[] => {
    if (issue.code !== "unrecognized_keys") return [{ ...placeOf(path), detail: issue.message }];
    const known = namesAt(schema, path);
    return issue.keys.map((key) => ({
      ...placeOf([...path, key]),
      detail: `Unknown key \`${key.slice(0, 80)}\``,
      hint: suggestName(key, known),
    }));
  });
}

/**
 * Names the first place in a body schema where unknown keys would pass silently, or undefined when every object is strict.
 * The server refuses to start on it: a mistyped option that is ignored is the costliest kind of wrong input.
 */
export function findLooseObject(
  schema: z.ZodType,
  path = "body",
  seen: Set<z.ZodType> = new Set(),
): string | undefined {
  if (seen.has(schema)) return undefined;
  seen.add(schema);
  const definition = schema._zod.def as unknown as LooseDefinition;
  if (definition.type === "object") {
    if (definition.catchall === undefined) return path;
    for (const [key, member] of Object.entries(definition.shape ?? {})) {
      const found = findLooseObject(member, `${path}.${key}`, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const inner = [
    definition.innerType,
    definition.element,
    definition.valueType,
    definition.in,
    ...(definition.options ?? []),
  ];
  for (const member of inner) {
    const found = member === undefined ? undefined : findLooseObject(member, path, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The members of zod's definitions this file walks through; each exists only on its own kinds of schema. */
interface LooseDefinition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

function parsePart(
  schema: z.ZodType | undefined,
  value: unknown,
  part: "params" | "query",
  details: ErrorDetail[],
): unknown {
  if (schema === undefined) return {};
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  details.push(
    ...issueDetails(parsed.error.issues, schema, (path) => ({ path: [part, ...path].map(String).join(".") })),
  );
  return undefined;
}

function refuseNames(query: unknown, details: ErrorDetail[]): void {
  for (const name of Object.keys(query ?? {})) {
    details.push({ path: `query.${name.slice(0, 80)}`, detail: "This route takes no query" });
  }
}

function parseBody(route: Route, body: unknown, details: ErrorDetail[]): unknown {
  if (route.body === undefined) {
    if (body !== undefined) details.push({ pointer: "", detail: "This route takes no body" });
    return undefined;
  }
  const parsed = route.body.safeParse(body);
  if (parsed.success) return parsed.data;
  if (body === undefined) {
    details.push({ pointer: "", detail: "A JSON body is required" });
    return undefined;
  }
  details.push(...issueDetails(parsed.error.issues, route.body, (path) => ({ pointer: pointerOf(path) })));
  return undefined;
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

interface PlacedIssue {
  readonly issue: z.core.$ZodIssue;
  readonly path: readonly PropertyKey[];
}

function flatten(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[],
): readonly PlacedIssue[] {
  return issues.flatMap((issue): readonly PlacedIssue[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== "invalid_union") return [{ issue, path }];
    const nearest = [...issue.errors].sort((a, b) => a.length - b.length)[0];
    return nearest === undefined || nearest.length === 0 ? [{ issue, path }] : flatten(nearest, path);
  });
}

/** The known member names at a path, through optionals, arrays and unions. */
function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const definition = schema._zod.def as unknown as LooseDefinition;
  if (definition.innerType !== undefined) return namesAt(definition.innerType, path);
  if (definition.in !== undefined) return namesAt(definition.in, path);
  if (definition.options !== undefined) return definition.options.flatMap((option) => namesAt(option, path));
  if (path.length === 0) return Object.keys(definition.shape ?? {});
  const member = definition.element ?? definition.valueType ?? definition.shape?.[String(path[0])];
  return member === undefined ? [] : namesAt(member, path.slice(1));
}
