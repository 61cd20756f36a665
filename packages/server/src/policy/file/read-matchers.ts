/** Reads the parts of a rule that say what it speaks of: actions, resources, targets, labels and scope. */
import { compileGlob } from "../../base/glob.ts";
import type { Glob } from "../../base/glob.ts";
import type { FindingCollector } from "../../base/finding.ts";
import { suggestName } from "../../base/nearest.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import { describeNode } from "../../base/yaml-source.ts";
import type { YamlNode } from "../../base/yaml-source.ts";
import type { OriginLabel } from "../rules/decision.ts";
import type { RuleScope, Target } from "../rules/policy.ts";

const actionPattern = /^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*$/;
export const originLabels: readonly OriginLabel[] = [
  "user",
  "operator",
  "agent",
  "web",
  "mail",
  "file",
  "tool",
  "mcp",
];

/** `*`, `tool`, `tool.*` (the same as `tool`) and `tool.verb`. */
export function readActions(fields: YamlFields, collector: FindingCollector): readonly string[] {
  return readActionNames(
    fields.require("action", "for example `file_ops.delete`, `file_ops` or `*`"),
    collector,
  );
}

export function readActionNames(
  field: YamlField | undefined,
  collector: FindingCollector,
): readonly string[] {
  if (field === undefined) return [];
  return readTexts(field, collector).flatMap(({ text, node }) => {
    const name = text.endsWith(".*") ? text.slice(0, -2) : text;
    if (text === "*" || (name.length <= 128 && actionPattern.test(name))) return [name];
    const hint = "an action is named in full, by its tool (`file_ops`), or `*` for all";
    collector.error(node.at, field.path, `${JSON.stringify(text.slice(0, 80))} is no action`, hint);
    return [];
  });
}

export function readGlobs(field: YamlField | undefined, collector: FindingCollector): readonly Glob[] {
  if (field === undefined) return [];
  return readTexts(field, collector).flatMap(
    ({ text, node }) => readGlob(text, node, { field, collector }) ?? [],
  );
}

/** Entries of `blocked` and `blacklist`: globs when they hold a wildcard, pieces of text otherwise. */
export function readTargets(field: YamlField, collector: FindingCollector): readonly Target[] {
  return readTexts(field, collector).flatMap(({ text, node }): readonly Target[] => {
    if (text.trim() === "" || text.length > 512) {
      collector.error(node.at, field.path, "a blocked target has 1 to 512 characters");
      return [];
    }
    if (!/[*?[{\\]/.test(text)) return [{ source: text, glob: null }];
    const glob = readGlob(text, node, { field, collector });
    return glob === undefined ? [] : [{ source: text, glob }];
  });
}

export function readLabels(
  field: YamlField | undefined,
  collector: FindingCollector,
): readonly OriginLabel[] {
  if (field === undefined) return [];
  return readTexts(field, collector).flatMap(({ text, node }) => {
    const label = originLabels.find((known) => known === text);
    if (label !== undefined) return [label];
    const problem = `${JSON.stringify(text.slice(0, 80))} is no label`;
    collector.error(node.at, field.path, problem, suggestName(text, originLabels));
    return [];
  });
}

export const scopeKeys = ["agent", "role", "tenant", "user"] as const;

export function readScope(field: YamlField | undefined, collector: FindingCollector): RuleScope {
  const fields = field && readFields(field.node, scopeKeys, { path: field.path, collector });
  const user = fields?.field("user");
  if (field?.node.kind === "map" && field.node.entries.length === 0) {
    collector.error(
      field.at,
      field.path,
      "the scope names nobody",
      "name an agent, role, tenant or user, or leave `scope` out",
    );
  }
  return {
    agent: readGlobs(fields?.field("agent"), collector),
    role: readGlobs(fields?.field("role"), collector),
    tenant: readGlobs(fields?.field("tenant"), collector),
    ...(user === undefined ? {} : { user: readGlobs(user, collector) }),
  };
}

function readGlob(
  text: string,
  node: YamlNode,
  { field, collector }: { readonly field: YamlField; readonly collector: FindingCollector },
): Glob | undefined {
  const result = compileGlob(text);
  if (result.ok) return result.glob;
  const problem = `the pattern ${JSON.stringify(text.slice(0, 80))} is wrong: ${result.problem}`;
  collector.error(node.at, field.path, problem, "`\\` before a sign takes its meaning away");
  return undefined;
}

/** One text or a list of texts, not empty: an empty list would silently match everything or nothing. */
function readTexts(
  field: YamlField,
  collector: FindingCollector,
): readonly { readonly text: string; readonly node: YamlNode }[] {
  const nodes = field.node.kind === "list" ? field.node.items : [field.node];
  const texts = nodes.flatMap((node) => {
    if (node.kind === "scalar" && typeof node.value === "string") return [{ text: node.value, node }];
    collector.error(
      node.at,
      field.path,
      `expected a text, found ${describeNode(node)}`,
      "quote it if it is one",
    );
    return [];
  });
  if (nodes.length === 0) collector.error(field.at, field.path, "the list is empty", "leave the key out");
  return texts;
}
