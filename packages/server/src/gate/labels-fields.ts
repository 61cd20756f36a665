/** Takes an output apart into its fields, so that one field's text never colours its neighbours. Pure, linear. */
import type { JsonValue } from "../base/canonical-json.ts";

export interface Field {
  /** As in `items[3].subject`; empty for an output that is one text. */
  readonly path: string;
  readonly text: string;
}

/** Fields beyond this are joined to the last one. */
const maxFields = 20_000;
const maxDepth = 32;

/** Texts that hold JSON or a block of `key: value` lines, as tools for models often answer, are taken apart too. */
export function fieldsOf(value: JsonValue): readonly Field[] {
  const fields: Field[] = [];
  visit(value, "", { fields, depth: 0 });
  return fields;
}

interface Visit {
  readonly fields: Field[];
  readonly depth: number;
}

function visit(value: JsonValue, path: string, { fields, depth }: Visit): void {
  if (fields.length >= maxFields || depth > maxDepth) {
    fields.push({ path, text: JSON.stringify(value) });
  } else if (typeof value === "string") {
    visitText(value, path, { fields, depth });
  } else if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly JsonValue[]).entries()) {
      visit(item, `${path}[${index}]`, { fields, depth: depth + 1 });
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      visit(item as JsonValue, path === "" ? key : `${path}.${key}`, { fields, depth: depth + 1 });
      // A name can carry a message as well as a value.
      if (key.length > 24) fields.push({ path: `${path}.(name)`, text: key });
    }
  } else if (value !== null) {
    fields.push({ path, text: String(value) });
  }
}

function visitText(text: string, path: string, { fields, depth }: Visit): void {
  const inner = parseJson(text);
  if (inner !== undefined) return visit(inner, path, { fields, depth: depth + 1 });
  for (const block of blockFields(text) ?? [{ path: "", text }]) {
    fields.push({ path: [path, block.path].filter((part) => part !== "").join("."), text: block.text });
  }
}

function parseJson(text: string): JsonValue | undefined {
  if (!/^\s*[[{]/.test(text) || !/[\]}]\s*$/.test(text)) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Not JSON after all: it stays one text.
    return undefined;
  }
}

const keyLine = /^(\s*)((?:- +)*)([\w][\w .-]{0,40}):(?: +(.*)|$)/;
const itemLine = /^(\s*)((?:- +)+|-$)(.*)$/;

/**
 * The fields of a text in YAML's block style. Undefined when it is not wholly in it: prose with a `Name: value` line here
 * and there stays one text. A writer of YAML indents what a value continues with, so a value cannot pose as a neighbour.
 */
function blockFields(text: string): readonly Field[] | undefined {
  const lines = text.split("\n");
  if (lines.length < 2) return undefined;
  const fields: { path: string; text: string }[] = [];
  let items = -1;
  let current: { readonly indent: number; field: { path: string; text: string } } | undefined;
  for (const line of lines) {
    if (line.trim() === "") {
      if (current !== undefined) current.field.text += "\n";
      continue;
    }
    const key = keyLine.exec(line);
    const item = key === null ? itemLine.exec(line) : null;
    const indent = /^\s*/.exec(line)![0].length;
    if (current !== undefined && indent > current.indent) {
      current.field.text += `\n${line.trim()}`;
      continue;
    }
    if (key === null && item === null) return undefined;
    const dashes = (key ?? item)![2]!;
    if (dashes !== "") items += 1;
    const name = key === null ? "" : key[3]!;
    const field = {
      path: `${items < 0 ? "" : `[${items}]`}${name === "" || items < 0 ? name : `.${name}`}`,
      text: (key?.[4] ?? item?.[3] ?? "").trim(),
    };
    fields.push(field);
    current = { indent: indent + (key === null ? 0 : dashes.length), field };
  }
  return fields.length >= 2 ? fields : undefined;
}
