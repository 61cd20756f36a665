/** Reads a workflow file: every mistake is found before anything runs, with line, column, field and a way out. */
import { digestJson } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import { createFindingCollector, formatFinding, toErrorDetail } from "../base/finding.ts";
import type { Finding, FindingCollector } from "../base/finding.ts";
import { suggestName } from "../base/nearest.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode, readYaml, yamlValue } from "../base/yaml-source.ts";
import type { YamlNode } from "../base/yaml-source.ts";
import { checkReferences } from "./references.ts";
import { stepKindNames, stepKinds } from "./step-kinds.ts";
import { readCondition, readDuration } from "./step-parts.ts";
import { readTriggers } from "./triggers.ts";
import { handlerNames } from "./workflow.ts";
import type { Step, StepKind, Workflow } from "./workflow.ts";
import { readInputs } from "./workflow-inputs.ts";
import { readOutputs } from "./workflow-outputs.ts";

export type WorkflowResult =
  | { readonly ok: true; readonly workflow: Workflow; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** A file beyond these is no longer read by people; runs keep every step in the journal. */
export const limits = { steps: 500, depth: 8 };

export const fileKeys: readonly string[] = [
  "version",
  "name",
  "description",
  "inputs",
  "outputs",
  "timeout",
  "triggers",
  "steps",
];
const commonStepKeys: readonly string[] = ["id", "title", "if", "on_error", ...handlerNames];

/** Never throws. `file` is put into the findings. At most 256 KB, 500 steps, 8 levels of steps. */
export function parseWorkflow(text: string, options: { readonly file?: string } = {}): WorkflowResult {
  const source = readYaml(text, options.file);
  if (!source.ok) return source;
  const collector = createFindingCollector(options.file);
  const fields = readFields(source.root, fileKeys, { path: "", collector });
  const workflow = fields === undefined ? undefined : readWorkflow(fields, source.root, collector);
  if (workflow !== undefined && !collector.hasErrors()) checkReferences(workflow, collector);
  const findings = collector.findings();
  return workflow === undefined || collector.hasErrors()
    ? { ok: false, findings }
    : { ok: true, workflow, warnings: findings };
}

/** As parseWorkflow, but throws WORKFLOW_INVALID with the findings as details. */
export function requireWorkflow(text: string, options: { readonly file?: string } = {}): Workflow {
  const result = parseWorkflow(text, options);
  if (result.ok) return result.workflow;
  const errors = result.findings.filter((finding) => finding.severity === "error");
  const [first] = errors;
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const message = `The workflow is not valid: ${first === undefined ? "" : formatFinding(first)}${others}`;
  throw new HomeostatError("WORKFLOW_INVALID", message, {}, { details: errors.map(toErrorDetail) });
}

function readWorkflow(fields: YamlFields, root: YamlNode, collector: FindingCollector): Workflow {
  const version = fields.require("version", "the first line is `version: 1`");
  if (version !== undefined && !(version.node.kind === "scalar" && version.node.value === 1)) {
    collector.error(
      version.at,
      "version",
      `this program reads version 1, found ${describeNode(version.node)}`,
    );
  }
  const name = fields.require("name") && fields.text("name");
  if (name !== undefined && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name.slice(0, 129))) {
    const at = fields.field("name")?.at ?? fields.at;
    collector.error(
      at,
      "name",
      `${JSON.stringify(name.slice(0, 80))} is no workflow name`,
      "small letters, digits and single hyphens, for example brand-audit",
    );
  }
  const steps = fields.require("steps");
  const outputs = fields.field("outputs");
  return {
    version: 1,
    name: name ?? "",
    description: fields.text("description") ?? null,
    inputs: readInputs(fields.field("inputs"), collector),
    outputs: outputs === undefined ? [] : readOutputs(outputs, collector),
    timeoutMs: readDuration(fields, "timeout", collector) ?? null,
    triggers: readTriggers(fields.field("triggers"), collector),
    steps: steps === undefined ? [] : createStepReader(collector)(steps),
    digest: digestJson(yamlValue(root)),
  };
}

function createStepReader(collector: FindingCollector): (field: YamlField) => readonly Step[] {
  const seen = new Map<string, number>();
  let count = 0;
  let depth = 0;

  function readSteps(field: YamlField): readonly Step[] {
    const nodes = field.node.kind === "list" ? field.node.items : [];
    if (nodes.length === 0) {
      const problem =
        field.node.kind === "list"
          ? "the list of steps is empty"
          : `expected a list of steps, found ${describeNode(field.node)}`;
      collector.error(field.at, field.path, problem, "a step begins with `- id: name`");
    }
    depth++;
    if (depth > limits.depth) {
      collector.error(field.at, field.path, `steps are nested deeper than ${limits.depth} levels`);
    }
    const steps =
      depth > limits.depth ? [] : nodes.map((node, index) => readStep(node, `${field.path}[${index}]`));
    depth--;
    return steps.flatMap((step) => (step === undefined ? [] : [step]));
  }

  function readStep(node: YamlNode, path: string): Step | undefined {
    count++;
    if (count === limits.steps + 1)
      collector.error(node.at, path, `the workflow has more than ${limits.steps} steps`);
    if (count > limits.steps) return undefined;
    const kind = findKind(node, path, collector);
    if (kind === undefined) return undefined;
    const row = stepKinds[kind];
    const known = [...commonStepKeys, kind, ...Object.keys(row.keys)];
    const fields = readFields(node, known, { path, collector });
    const main = fields?.field(kind);
    if (fields === undefined || main === undefined) return undefined;
    const id = readId(fields, seen, collector);
    const title = readTitle(fields, collector);
    const condition = readCondition(fields.field("if"), collector);
    // A kind that says itself what a failure inside means has the key for its own use.
    const isOwnError = "on_error" in row.keys;
    const goesOnAfterError = !isOwnError && fields.choice("on_error", onErrorChoices) === "continue";
    const own = row.read(fields, main, { collector, readSteps });
    const handlers = Object.fromEntries(handlerNames.map((name) => [name, readHandler(fields, name)]));
    const place = { ...node.at, path };
    // `own` has exactly the members of its kind; the union is not distributed by the compiler.
    return { id, title, condition, goesOnAfterError, ...handlers, place, ...own } as Step;
  }

  function readHandler(fields: YamlFields, name: string): readonly Step[] {
    const field = fields.field(name);
    return field === undefined ? [] : readSteps(field);
  }

  return readSteps;
}

export const onErrorChoices = ["fail", "continue"] as const;

/** The one kind a step names. None and several are reported. */
function findKind(node: YamlNode, path: string, collector: FindingCollector): StepKind | undefined {
  if (node.kind !== "map") {
    collector.error(
      node.at,
      path,
      `expected a step, found ${describeNode(node)}`,
      "a step is a map: `- id: name`",
    );
    return undefined;
  }
  const keys = node.entries.map((entry) => entry.key);
  const kinds = stepKindNames.filter((kind) => keys.includes(kind));
  const [kind, second] = kinds;
  if (second !== undefined) {
    const hint = "make it several steps";
    collector.error(node.at, path, `a step has one kind, this one has ${kinds.join(" and ")}`, hint);
    return undefined;
  }
  if (kind !== undefined) return kind;
  const unknown = node.entries.find((entry) => !commonStepKeys.includes(entry.key) && !isKindKey(entry.key));
  if (unknown === undefined) {
    collector.error(node.at, path, "the step has no kind", `give it one of ${stepKindNames.join(", ")}`);
  } else {
    const known = [...stepKindNames, ...commonStepKeys];
    collector.error(
      unknown.keyAt,
      path,
      `unknown kind of step \`${unknown.key.slice(0, 80)}\``,
      suggestName(unknown.key, known),
    );
  }
  return undefined;
}

function isKindKey(key: string): boolean {
  return stepKindNames.some((kind) => Object.hasOwn(stepKinds[kind].keys, key));
}

function readId(fields: YamlFields, seen: Map<string, number>, collector: FindingCollector): string {
  const id = fields.require("id", "every step has an id, unique in the file") && fields.text("id");
  if (id === undefined) return "";
  const at = fields.field("id")?.at ?? fields.at;
  const path = `${fields.path}.id`;
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(id)) {
    collector.error(
      at,
      path,
      `${JSON.stringify(id.slice(0, 80))} is no step id`,
      "a small letter, then small letters, digits, _ and -; at most 64",
    );
  }
  const before = seen.get(id);
  if (before !== undefined) {
    collector.error(
      at,
      path,
      `the id \`${id.slice(0, 64)}\` is used before, in line ${before}`,
      "ids are unique in the whole file",
    );
  }
  seen.set(id, at.line);
  return id;
}

function readTitle(fields: YamlFields, collector: FindingCollector): string | null {
  const title = fields.text("title") ?? null;
  if (title !== null && title.includes("${{")) {
    const at = fields.field("title")?.at ?? fields.at;
    collector.error(at, `${fields.path}.title`, "a title is plain text, expressions are not evaluated in it");
  }
  return title;
}
