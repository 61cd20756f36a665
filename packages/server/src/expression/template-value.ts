/** A value from a file whose texts may hold `${{ }}` at any depth: parsed once at load, rendered at run time. */
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError, isHomeostatError } from "../base/error.ts";
import type { SourcePlace } from "../base/error.ts";
import type { Scope } from "./expression.ts";
import { renderTemplate } from "./template.ts";
import type { Template } from "./template.ts";

/** Plain data. `place` says where in the user's file a template stands. */
export type TemplateValue =
  | { readonly kind: "literal"; readonly value: JsonValue }
  | PlacedTemplate
  | { readonly kind: "list"; readonly items: readonly TemplateValue[] }
  | { readonly kind: "object"; readonly entries: readonly TemplateEntry[] };

export interface PlacedTemplate {
  readonly kind: "template";
  readonly template: Template;
  readonly place: SourcePlace;
}

export interface TemplateEntry {
  readonly key: string;
  readonly value: TemplateValue;
}

/** The value with every template rendered. Throws EXPRESSION_INVALID with the template's place. */
export function renderValue(value: TemplateValue, scope: Scope): JsonValue {
  switch (value.kind) {
    case "literal":
      return value.value;
    case "template":
      return renderPlaced(value, scope);
    case "list":
      return value.items.map((item) => renderValue(item, scope));
    case "object":
      return Object.fromEntries(value.entries.map((entry) => [entry.key, renderValue(entry.value, scope)]));
  }
}

/** All templates inside, in the order of the file. */
export function templatesIn(value: TemplateValue): readonly PlacedTemplate[] {
  switch (value.kind) {
    case "literal":
      return [];
    case "template":
      return [value];
    case "list":
      return value.items.flatMap(templatesIn);
    case "object":
      return value.entries.flatMap((entry) => templatesIn(entry.value));
  }
}

function renderPlaced({ template, place }: PlacedTemplate, scope: Scope): JsonValue {
  try {
    return renderTemplate(template, scope);
  } catch (error) {
    throw atPlace(error, place);
  }
}

/** An EXPRESSION_INVALID with the file place in front of its message; other errors stay as they are. */
export function atPlace(error: unknown, place: SourcePlace): unknown {
  if (!isHomeostatError(error, "EXPRESSION_INVALID")) return error;
  const message = `${place.path ?? "expression"}: ${error.message}`;
  return new HomeostatError("EXPRESSION_INVALID", message, error.data, {
    cause: error,
    hint: error.hint,
    place,
  });
}
