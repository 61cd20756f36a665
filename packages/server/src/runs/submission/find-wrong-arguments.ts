/** Finds arguments of a workflow's steps that no tool will take, as far as the file alone can tell. Pure. */
import { z } from "zod";
import type { JsonValue } from "../../base/canonical-json.ts";
import type { Finding, Position } from "../../base/finding.ts";
import { suggestName } from "../../base/nearest.ts";
import { joinPath, readYaml } from "../../base/yaml-source.ts";
import type { YamlNode } from "../../base/yaml-source.ts";
import type { TemplateValue } from "../../expression/template-value.ts";
import type { AnyTool } from "../../tools/tool.ts";
import { allSteps } from "../../workflows/workflow.ts";
import type { ToolStep, Workflow } from "../../workflows/workflow.ts";

type Key = string | number;

/** `text` is the file the workflow was read from. Tools that are not there are somebody else's finding. */
export function findWrongArguments(
  workflow: Workflow,
  text: string,
  tools: ReadonlyMap<string, Pick<AnyTool, "args">>,
): readonly Finding[] {
  const yaml = readYaml(text);
  const root = yaml.ok ? yaml.root : undefined;
  return allSteps(workflow.steps).flatMap((step) => {
    const tool = step.kind === "tool" ? tools.get(step.action) : undefined;
    if (step.kind !== "tool" || tool === undefined) return [];
    return problemsOf(step, tool).map(({ keys, message, hint }): Finding => {
      const place = `${step.place.path}.with`;
      const at = (root && positionOf(root, [...keysOf(place), ...keys])) ?? step.place;
      const path = keys.slice(0, -1).reduce<string>(appendKey, place);
      const named = message.startsWith("unknown key") ? path : keys.reduce<string>(appendKey, place);
      return {
        severity: "error",
        line: at.line,
        column: at.column,
        path: named,
        message,
        ...(hint === undefined ? {} : { hint }),
      };
    });
  });
}

interface Problem {
  /** From `with` to the argument. */
  readonly keys: readonly Key[];
  readonly message: string;
  readonly hint?: string;
}

function problemsOf(step: ToolStep, tool: Pick<AnyTool, "args">): readonly Problem[] {
  const open: Key[][] = [];
  const known = knownPart(step.args, [], open);
  if (typeof known !== "object" || known === null) return [];
  const parsed = tool.args.safeParse(known);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue): readonly Problem[] => {
    const keys = issue.path.filter((key) => typeof key !== "symbol");
    if (issue.code === "unrecognized_keys") {
      const takes = keysTaken(tool.args, keys);
      return issue.keys.map((key) => ({
        keys: [...keys, key],
        message: `unknown key \`${key.slice(0, 80)}\``,
        ...(takes === undefined ? {} : { hint: suggestName(key, takes) }),
      }));
    }
    // What a template gives is known only when the step runs; a rule over several arguments may hang on one.
    const hangsOnTemplate = open.some((each) => isPrefix(keys, each) || isPrefix(each, keys));
    return hangsOnTemplate ? [] : [{ keys, message: issue.message }];
  });
}

/** The value without its templates, whose paths go into `open`. */
function knownPart(value: TemplateValue, path: readonly Key[], open: Key[][]): JsonValue | undefined {
  switch (value.kind) {
    case "literal":
      return value.value;
    case "template":
      open.push([...path]);
      return undefined;
    case "list":
      return value.items.map((item, index) => knownPart(item, [...path, index], open) ?? null);
    case "object":
      return Object.fromEntries(
        value.entries.map(({ key, value: inner }) => [key, knownPart(inner, [...path, key], open)]),
      );
  }
}

function isPrefix(shorter: readonly Key[], longer: readonly Key[]): boolean {
  return shorter.length <= longer.length && shorter.every((key, index) => key === longer[index]);
}

/** Undefined where the schema is no plain object at that place. */
function keysTaken(schema: z.ZodType, path: readonly Key[]): readonly string[] | undefined {
  let node: unknown = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  for (const key of path) node = member(member(node, "properties"), String(key)) ?? member(node, "items");
  const properties = member(node, "properties");
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : undefined;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** `steps[2].branch[0].steps[1].with` as keys. */
function keysOf(path: string): readonly Key[] {
  return [...path.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, index, quoted, word]) =>
    index === undefined ? (quoted ?? word ?? "") : Number(index),
  );
}

function appendKey(path: string, key: Key): string {
  return typeof key === "number" ? `${path}[${key}]` : joinPath(path, key);
}

/** Where the deepest part of the path that is in the file begins: the key itself for members of a map. */
function positionOf(root: YamlNode, keys: readonly Key[]): Position | undefined {
  let node = root;
  let at: Position | undefined;
  for (const key of keys) {
    if (node.kind === "list" && typeof key === "number") {
      const item = node.items[key];
      if (item === undefined) return at;
      node = item;
      at = item.at;
    } else if (node.kind === "map") {
      const entry = node.entries.find((each) => each.key === key);
      if (entry === undefined) return at;
      node = entry.value;
      at = entry.keyAt;
    } else return at;
  }
  return at;
}
