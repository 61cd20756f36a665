/** Text with `${{ }}` in it: parsed once at load, rendered with values at run time. */
import type { JsonValue } from "../base/canonical-json.ts";
import { createBudget } from "./budget.ts";
import { evaluate } from "./evaluate.ts";
import { expressionError, expressionLimits } from "./expression.ts";
import type { Expression, Scope } from "./expression.ts";
import { parseExpressionAt } from "./parse.ts";
import { toText } from "./values.ts";

/** Offsets inside the expressions count from the start of `source`. */
export interface Template {
  readonly source: string;
  readonly parts: readonly TemplatePart[];
}

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "expression"; readonly expression: Expression };

const opening = "${{";

export function hasExpression(text: string): boolean {
  return text.includes(opening);
}

/** Linear in the text. Throws EXPRESSION_INVALID with the column within `source`. */
export function parseTemplate(source: string): Template {
  if (source.length > expressionLimits.templateLength) {
    const limit = expressionLimits.templateLength;
    throw expressionError(0, `the text has ${source.length} characters, more than ${limit}`);
  }
  const parts: TemplatePart[] = [];
  let from = 0;
  for (let at = source.indexOf(opening); at >= 0; at = source.indexOf(opening, from)) {
    if (at > from) parts.push({ kind: "text", text: source.slice(from, at) });
    const { expression, end } = parseExpressionAt(source, at + opening.length);
    if (!source.startsWith("}}", end)) {
      const found = end < source.length ? JSON.stringify(source.slice(end, end + 10)) : "the end of the text";
      throw expressionError(end, `expected \`}}\` behind the expression, found ${found}`);
    }
    parts.push({ kind: "expression", expression });
    from = end + 2;
  }
  if (from < source.length) parts.push({ kind: "text", text: source.slice(from) });
  return { source, parts };
}

/** The expression of a template that is nothing but one `${{ }}`; its value keeps its type. */
export function soleExpression(template: Template): Expression | undefined {
  const [part, ...rest] = template.parts;
  return part?.kind === "expression" && rest.length === 0 ? part.expression : undefined;
}

export function templateExpressions(template: Template): readonly Expression[] {
  return template.parts.flatMap((part) => (part.kind === "expression" ? [part.expression] : []));
}

/**
 * A template that is exactly one `${{ }}` gives the value itself; otherwise values are put into the text: strings as
 * they are, lists and objects as JSON. Null in a text is an error, for `delete workspace/${{ x }}` must not guess.
 * Throws EXPRESSION_INVALID.
 */
export function renderTemplate(template: Template | string, scope: Scope): JsonValue {
  const parsed = typeof template === "string" ? parseTemplate(template) : template;
  const sole = soleExpression(parsed);
  return sole === undefined ? renderText(parsed, scope) : evaluate(sole, scope);
}

/** As `renderTemplate`, but always a text: a sole `${{ }}` is written out too. Throws EXPRESSION_INVALID. */
export function renderText(template: Template | string, scope: Scope): string {
  const parsed = typeof template === "string" ? parseTemplate(template) : template;
  let text = "";
  for (const part of parsed.parts) {
    text += part.kind === "text" ? part.text : textOf(part.expression, scope);
    if (text.length > expressionLimits.size) {
      throw expressionError(0, `the text grew beyond ${expressionLimits.size} characters`);
    }
  }
  return text;
}

function textOf(expression: Expression, scope: Scope): string {
  const value = evaluate(expression, scope);
  const text = toText(value, createBudget());
  if (text !== undefined) return text;
  const hint = 'write `${{ value ?? "" }}` if nothing shall stand there';
  throw expressionError(expression.at, "null cannot be put into a text", hint);
}
