/** Reads from a workflow's YAML what the form needs: its inputs and the outline of its steps. The server judges it; this only shows. */
import { parseDocument } from "yaml";
import type { InputDefinition, StepKind } from "../api/contract.ts";
import { formatCount } from "../format/quantity.ts";

export interface OutlineStep {
  readonly key: string;
  readonly depth: number;
  readonly kind: StepKind | "case";
  readonly title: string;
  /** The tool, the condition, what is looped over. */
  readonly detail: string;
}

export interface WorkflowSketch {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, InputDefinition>>;
  readonly outline: readonly OutlineStep[];
}

type Fields = Readonly<Record<string, unknown>>;

const inputTypes: readonly string[] = ["string", "number", "integer", "boolean", "list", "object"];
const deepest = 12;

/** Null while the text is not yet a YAML map. Odd parts are left out, so it may be called on every key press. */
export function readWorkflow(text: string): WorkflowSketch | null {
  const document = parseDocument(text, { logLevel: "silent" });
  if (document.errors.length > 0) return null;
  const root = valueOf(document);
  if (!isFields(root)) return null;
  return {
    name: textOf(root["name"]),
    description: textOf(root["description"]),
    inputs: readInputs(root["inputs"]),
    outline: readSteps(root["steps"], 0, "", []),
  };
}

/** The alias limit keeps a small text from becoming a huge value; such a text has no sketch. */
function valueOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch {
    // The server's check names the fault.
    return null;
  }
}

function readInputs(section: unknown): Record<string, InputDefinition> {
  if (!isFields(section)) return {};
  const entries = Object.entries(section).filter((entry): entry is [string, InputDefinition & Fields] => {
    const type = isFields(entry[1]) ? entry[1]["type"] : undefined;
    return typeof type === "string" && inputTypes.includes(type);
  });
  return Object.fromEntries(entries);
}

function readSteps(list: unknown, depth: number, parent: string, found: OutlineStep[]): OutlineStep[] {
  if (!Array.isArray(list) || depth > deepest) return found;
  list.forEach((step: unknown, index) => {
    if (isFields(step)) readStep(step, depth, `${parent}/${index}`, found);
  });
  return found;
}

function readStep(step: Fields, depth: number, key: string, found: OutlineStep[]): void {
  const kind = kindOf(step);
  const title = textOf(step["title"]) || textOf(step["id"]);
  found.push({ key, depth, kind, title, detail: detailOf(step, kind) });
  if (kind === "branch" && Array.isArray(step["branch"])) {
    step["branch"].forEach((way: unknown, index) => readCase(way, depth + 1, `${key}/${index}`, found));
  }
  if (kind === "for_each") readSteps(step["steps"], depth + 1, key, found);
  if (kind === "group") readSteps(step["group"], depth + 1, key, found);
  if (kind === "parallel" && isFields(step["parallel"])) {
    Object.entries(step["parallel"]).forEach(([name, steps], index) => {
      found.push({ key: `${key}/${index}`, depth: depth + 1, kind: "case", title: name, detail: "" });
      readSteps(steps, depth + 2, `${key}/${index}`, found);
    });
  }
}

function readCase(way: unknown, depth: number, key: string, found: OutlineStep[]): void {
  if (!isFields(way)) return;
  const isElse = "else" in way;
  found.push({
    key,
    depth,
    kind: "case",
    title: isElse ? "otherwise" : "when",
    detail: isElse ? "" : bareExpression(textOf(way["when"])),
  });
  readSteps(isElse ? way["else"] : way["steps"], depth + 1, key, found);
}

function kindOf(step: Fields): StepKind {
  const kinds: readonly StepKind[] = [
    "branch",
    "for_each",
    "parallel",
    "group",
    "workflow",
    "approval",
    "wait",
    "set",
  ];
  return kinds.find((kind) => kind in step) ?? "tool";
}

function detailOf(step: Fields, kind: StepKind): string {
  const condition = step["if"] === undefined ? "" : `if ${bareExpression(textOf(step["if"]))}`;
  const own = ownDetail(step, kind);
  return [own, condition].filter((part) => part !== "").join(", ");
}

function ownDetail(step: Fields, kind: StepKind): string {
  switch (kind) {
    case "tool":
      return textOf(step["tool"]);
    case "for_each":
      return `for each of ${loopText(step["for_each"])}`;
    case "approval":
      return "a person is asked";
    case "wait": {
      const wait = step["wait"];
      if (!isFields(wait)) return "waits";
      if (wait["signal"] !== undefined) return `waits for the signal ${textOf(wait["signal"])}`;
      return `waits ${textOf(wait["for"]) || `until ${textOf(wait["until"])}`}`;
    }
    case "workflow":
      return `runs ${textOf(step["workflow"])}`;
    case "parallel":
      return "at the same time";
    case "group":
    case "branch":
    case "set":
      return "";
  }
}

function loopText(items: unknown): string {
  return Array.isArray(items) ? formatCount(items.length, "item") : bareExpression(textOf(items));
}

function bareExpression(text: string): string {
  return text.replace(/^\$\{\{\s*/, "").replace(/\s*\}\}$/, "");
}

function textOf(value: unknown): string {
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : "";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
