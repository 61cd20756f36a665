/** Reads the smaller pieces of a workflow file: templates, conditions and durations. */
import type { JsonValue } from "../base/canonical-json.ts";
import { durationForm, parseDuration } from "../base/duration.ts";
import { isHomeostatError } from "../base/error.ts";
import type { FindingCollector } from "../base/finding.ts";
import { describeNode, joinPath } from "../base/yaml-source.ts";
import type { YamlNode } from "../base/yaml-source.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { hasExpression, parseTemplate, soleExpression } from "../expression/template.ts";
import type { PlacedTemplate, TemplateEntry, TemplateValue } from "../expression/template-value.ts";

/** A value whose texts may hold `${{ }}`; mistakes in expressions are reported at their place. */
export function readValue(node: YamlNode, path: string, collector: FindingCollector): TemplateValue {
  if (node.kind === "list") {
    const items = node.items.map((item, index) => readValue(item, `${path}[${index}]`, collector));
    return items.every(isLiteral) ? literal(items.map((item) => item.value)) : { kind: "list", items };
  }
  if (node.kind === "map") {
    const entries = readEntries(node, path, collector);
    if (!entries.every(({ value }) => isLiteral(value))) return { kind: "object", entries };
    return literal(
      Object.fromEntries(entries.map(({ key, value }) => [key, isLiteral(value) ? value.value : null])),
    );
  }
  if (typeof node.value !== "string" || !hasExpression(node.value)) return literal(node.value);
  return readTemplate(node, path, collector) ?? literal(null);
}

/** The members of a map, each with its templates parsed; empty (reported) when `node` is no map. */
export function readEntries(
  node: YamlNode,
  path: string,
  collector: FindingCollector,
): readonly TemplateEntry[] {
  if (node.kind !== "map") {
    collector.error(node.at, path, `expected a map, found ${describeNode(node)}`);
    return [];
  }
  return node.entries.map(({ key, value }) => ({
    key,
    value: readValue(value, joinPath(path, key), collector),
  }));
}

/** A text as a template, also when it holds no expression. */
export function readTemplate(
  node: YamlNode,
  path: string,
  collector: FindingCollector,
): PlacedTemplate | undefined {
  if (node.kind !== "scalar" || typeof node.value !== "string") {
    collector.error(node.at, path, `expected a text, found ${describeNode(node)}`);
    return undefined;
  }
  try {
    const start = node.textAt ?? node.at;
    return { kind: "template", template: parseTemplate(node.value), place: { ...start, path } };
  } catch (error) {
    if (!isHomeostatError(error, "EXPRESSION_INVALID")) throw error;
    const { column, problem } = error.data as { readonly column: number; readonly problem: string };
    const inText = node.textAt === undefined ? ` (character ${column} of the text)` : "";
    const at =
      node.textAt === undefined
        ? node.at
        : { line: node.textAt.line, column: node.textAt.column + column - 1 };
    collector.error(at, path, `${problem}${inText}`, error.hint);
    return undefined;
  }
}

/**
 * `if` and `when`: true, false or exactly one `${{ }}`. Any other text would always be true, which nobody means, so it
 * is refused.
 */
export function readCondition(
  field: YamlField | undefined,
  collector: FindingCollector,
): TemplateValue | null {
  if (field === undefined) return null;
  const { node, path, at } = field;
  if (node.kind === "scalar" && typeof node.value === "boolean") return literal(node.value);
  if (node.kind === "scalar" && typeof node.value === "string" && hasExpression(node.value)) {
    const template = readTemplate(node, path, collector);
    if (template === undefined || soleExpression(template.template) !== undefined) return template ?? null;
  }
  const written =
    node.kind === "scalar" && typeof node.value === "string" ? node.value.slice(0, 60) : "condition";
  const hint = hasExpression(written) ? "remove what stands around `${{ }}`" : `write "\${{ ${written} }}"`;
  collector.error(at, path, `expected a condition, found ${describeNode(node)}`, hint);
  return null;
}

/** Milliseconds, at least 1; a plain number has no unit and is refused. */
export function readDuration(
  fields: YamlFields,
  key: string,
  collector: FindingCollector,
): number | undefined {
  const field = fields.field(key);
  if (field === undefined) return undefined;
  const value = field.node.kind === "scalar" ? field.node.value : undefined;
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms !== undefined && ms > 0) return ms;
  const hint = typeof value === "number" ? `write \`${value}s\` for seconds` : undefined;
  collector.error(field.at, field.path, `expected ${durationForm}, found ${describeNode(field.node)}`, hint);
  return undefined;
}

export function literal(value: JsonValue): TemplateValue & { readonly kind: "literal" } {
  return { kind: "literal", value };
}

function isLiteral(value: TemplateValue): value is TemplateValue & { readonly kind: "literal" } {
  return value.kind === "literal";
}
