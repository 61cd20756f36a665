/** The kinds of step a workflow may hold: which keys each has and how it is read from the file. */
import { durationForm, parseDuration } from "../base/duration.ts";
import type { FindingCollector } from "../base/finding.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode } from "../base/yaml-source.ts";
import type { TemplateValue } from "../expression/template-value.ts";
import { literal, readCondition, readDuration, readEntries, readTemplate, readValue } from "./step-parts.ts";
import type {
  ApprovalStep,
  BranchStep,
  ForEachStep,
  Retry,
  SetStep,
  Step,
  StepKind,
  ToolStep,
  WaitStep,
} from "./workflow.ts";

/** What the readers of nested steps need. `readSteps` reads a list of steps one level further down. */
export interface StepReading {
  readonly collector: FindingCollector;
  readonly readSteps: (field: YamlField) => readonly Step[];
}

type Own<T extends Step> = Omit<T, "id" | "title" | "condition" | "place">;

interface StepKindRow {
  /** Keys beside `id`, `title`, `if` and the key that names the kind. */
  readonly keys: readonly string[];
  readonly read: (fields: YamlFields, main: YamlField, reading: StepReading) => Own<Step>;
}

/** The key that names a kind is the kind's name. */
export const stepKinds: Readonly<Record<StepKind, StepKindRow>> = {
  tool: { keys: ["with", "timeout", "retry"], read: readTool },
  branch: { keys: [], read: readBranch },
  for_each: { keys: ["as", "steps", "collect"], read: readForEach },
  approval: { keys: [], read: readApproval },
  wait: { keys: [], read: readWait },
  set: { keys: [], read: readSet },
};

export const stepKindNames: readonly StepKind[] = ["tool", "branch", "for_each", "approval", "wait", "set"];

/** Names that an item of a loop must not hide. */
const reservedNames: ReadonlySet<string> = new Set([
  "inputs",
  "steps",
  "run",
  "index",
  "true",
  "false",
  "null",
]);
export const namePattern: RegExp = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const actionPattern = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;
const rolePattern = /^[a-z][a-z0-9_-]{0,63}$/;

function readTool(fields: YamlFields, main: YamlField, { collector }: StepReading): Own<ToolStep> {
  const action = fields.text("tool") ?? "";
  if (action !== "" && (action.length > 128 || !actionPattern.test(action))) {
    collector.error(
      main.at,
      main.path,
      `${JSON.stringify(action.slice(0, 80))} is no action name`,
      "for example `file_ops.list`",
    );
  }
  const given = fields.field("with");
  if (given !== undefined && given.node.kind !== "map") {
    collector.error(given.at, given.path, `expected a map of arguments, found ${describeNode(given.node)}`);
  }
  const args: TemplateValue =
    given === undefined ? literal({}) : readValue(given.node, given.path, collector);
  const timeoutMs = readDuration(fields, "timeout", collector) ?? null;
  return { kind: "tool", action, args, timeoutMs, retry: readRetry(fields.field("retry"), collector) };
}

/** Three tries as RUN states promise; one second doubles to at most a minute, so that three fit into one. */
const retryDefaults = { delayMs: 1_000, backoff: 2, maxDelayMs: 60_000 };

function readRetry(field: YamlField | undefined, collector: FindingCollector): Retry | null {
  if (field === undefined) return null;
  const fields = readFields(field.node, ["attempts", "delay", "backoff", "max_delay"], {
    path: field.path,
    collector,
  });
  if (fields?.require("attempts", "for example `attempts: 3`, the first try included") === undefined)
    return null;
  const backoffField = fields.field("backoff");
  const backoff = backoffField?.node.kind === "scalar" ? backoffField.node.value : retryDefaults.backoff;
  const isGood = typeof backoff === "number" && backoff >= 1 && backoff <= 10;
  if (!isGood)
    collector.error(backoffField?.at ?? field.at, `${field.path}.backoff`, "expected a number from 1 to 10");
  const delayMs = readDuration(fields, "delay", collector) ?? retryDefaults.delayMs;
  return {
    attempts: fields.integer("attempts", 1, 20) ?? 1,
    delayMs,
    backoff: isGood ? backoff : retryDefaults.backoff,
    maxDelayMs: readDuration(fields, "max_delay", collector) ?? Math.max(delayMs, retryDefaults.maxDelayMs),
  };
}

function readBranch(_fields: YamlFields, main: YamlField, reading: StepReading): Own<BranchStep> {
  const { collector } = reading;
  const nodes = main.node.kind === "list" ? main.node.items : [];
  if (nodes.length === 0) {
    const hint =
      "a branch is a list: `- when: ${{ ... }}` with `steps:`, and at most one `- else:` at the end";
    collector.error(main.at, main.path, `expected a list of arms, found ${describeNode(main.node)}`, hint);
  }
  const arms = nodes.map((node, index) => {
    const path = `${main.path}[${index}]`;
    const fields = readFields(node, ["when", "steps", "else"], { path, collector });
    const otherwise = fields?.field("else");
    if (fields === undefined) return { when: null, steps: [] };
    if (otherwise === undefined) return readArm(fields, reading);
    if (fields.keys().length > 1) {
      collector.error(
        otherwise.keyAt,
        otherwise.path,
        "`else` stands alone",
        "its steps are its value: `- else: [...]`",
      );
    }
    if (index < nodes.length - 1)
      collector.error(otherwise.keyAt, otherwise.path, "`else` must be the last arm");
    if (nodes.length === 1)
      collector.error(otherwise.keyAt, otherwise.path, "a branch needs a `when` before `else`");
    return { when: null, steps: reading.readSteps(otherwise) };
  });
  return { kind: "branch", arms };
}

function readArm(fields: YamlFields, reading: StepReading): BranchStep["arms"][number] {
  const when = readCondition(fields.require("when"), reading.collector);
  const steps = fields.require("steps");
  // A condition that could not be read has been reported: the workflow will not run.
  return { when: when ?? literal(false), steps: steps === undefined ? [] : reading.readSteps(steps) };
}

function readForEach(fields: YamlFields, main: YamlField, reading: StepReading): Own<ForEachStep> {
  const { collector } = reading;
  const items = readValue(main.node, main.path, collector);
  const isText = main.node.kind === "scalar" && items.kind !== "template";
  if (isText || main.node.kind === "map") {
    const hint = 'write a list, or "${{ ... }}" that gives one';
    collector.error(main.at, main.path, `expected a list, found ${describeNode(main.node)}`, hint);
  }
  const as = fields.text("as") ?? "item";
  if (!namePattern.test(as) || reservedNames.has(as)) {
    const at = fields.field("as")?.at ?? main.at;
    const problem = `${JSON.stringify(as.slice(0, 80))} cannot name the item`;
    collector.error(
      at,
      `${fields.path}.as`,
      problem,
      "letters, digits and _; not inputs, steps, run or index",
    );
  }
  const inner = fields.require("steps");
  const steps = inner === undefined ? [] : reading.readSteps(inner);
  const collect = fields.field("collect");
  return {
    kind: "for_each",
    items,
    as,
    steps,
    collect: collect === undefined ? null : readValue(collect.node, collect.path, collector),
  };
}

function readApproval(_fields: YamlFields, main: YamlField, { collector }: StepReading): Own<ApprovalStep> {
  const fields = readFields(main.node, ["message", "by", "expires", "on_reject"], {
    path: main.path,
    collector,
  });
  const field = fields?.require("message", "say what the person is asked");
  const message = field === undefined ? undefined : readTemplate(field.node, field.path, collector);
  const by = fields?.texts("by") ?? ["approver", "admin"];
  const byField = fields?.field("by");
  if (byField !== undefined && (by.length === 0 || !by.every((role) => rolePattern.test(role)))) {
    collector.error(byField.at, byField.path, "expected names of roles", "for example [approver, admin]");
  }
  return {
    kind: "approval",
    message: message ?? {
      kind: "template",
      template: { source: "", parts: [] },
      place: { ...main.at, path: main.path },
    },
    by,
    expiresMs: (fields && readDuration(fields, "expires", collector)) ?? null,
    onReject: fields?.choice("on_reject", ["fail", "skip"]) ?? "fail",
  };
}

function readWait(_fields: YamlFields, main: YamlField, { collector }: StepReading): Own<WaitStep> {
  const fields = readFields(main.node, ["for", "until"], { path: main.path, collector });
  const given = fields?.field("for") ?? fields?.field("until");
  const kind = fields?.field("for") === undefined ? "until" : "for";
  if (fields !== undefined && fields.keys().length !== 1) {
    collector.error(main.at, main.path, "a wait has either `for` or `until`", "`wait: { for: 30s }`");
  }
  if (given === undefined) return { kind: "wait", wait: { kind: "for", value: literal("0s") } };
  const value = readValue(given.node, given.path, collector);
  if (value.kind !== "template") {
    const text = value.kind === "literal" && typeof value.value === "string" ? value.value : "";
    const isGood = kind === "for" ? parseDuration(text) !== undefined : isTime(text);
    const wanted = kind === "for" ? durationForm : "a time such as 2026-01-31T09:00:00Z";
    if (!isGood)
      collector.error(given.at, given.path, `expected ${wanted}, found ${describeNode(given.node)}`);
  }
  return { kind: "wait", wait: { kind, value } };
}

/** ISO 8601 with seconds and an offset: without one the meaning would depend on the machine. */
export function isTime(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}

function readSet(_fields: YamlFields, main: YamlField, { collector }: StepReading): Own<SetStep> {
  const values = readEntries(main.node, main.path, collector);
  for (const { key } of values) {
    if (!namePattern.test(key)) {
      collector.error(
        main.at,
        main.path,
        `${JSON.stringify(key.slice(0, 80))} cannot name a value`,
        "letters, digits and _",
      );
    }
  }
  return { kind: "set", values };
}
