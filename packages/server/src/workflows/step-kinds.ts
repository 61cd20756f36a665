/** The kinds of step a workflow may hold: which keys each has and how it is read from the file. */
import type { JsonObject } from "../base/canonical-json.ts";
import type { FindingCollector } from "../base/finding.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode } from "../base/yaml-source.ts";
import type { TemplateValue } from "../expression/template-value.ts";
import { childKind } from "./child-kind.ts";
import { branchKind, forEachKind, groupKind, parallelKind } from "./group-kinds.ts";
import { choice, closedMap, schemaParts, wholeNumber } from "./schema-parts.ts";
import { literal, readDuration, readEntries, readTemplate, readValue } from "./step-parts.ts";
import { namePattern, readRoles } from "./step-reading.ts";
import type { Own, StepKindRow, StepReading } from "./step-reading.ts";
import { waitKind } from "./wait-kind.ts";
import type { ApprovalStep, Retry, SetStep, StepKind, ToolStep } from "./workflow.ts";

const actionPattern = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;

const retryKeys: Readonly<Record<string, JsonObject>> = {
  attempts: wholeNumber(1, 20),
  delay: schemaParts.duration,
  backoff: { type: "number", minimum: 1, maximum: 10 },
  max_delay: schemaParts.duration,
};

const toolKind: StepKindRow = {
  main: { type: "string", pattern: actionPattern.source, maxLength: 128 },
  keys: {
    with: schemaParts.map,
    timeout: schemaParts.duration,
    retry: closedMap(retryKeys, ["attempts"]),
  },
  read: readTool,
};

const approvalKeys: Readonly<Record<string, JsonObject>> = {
  message: schemaParts.text,
  by: schemaParts.roles,
  expires: schemaParts.duration,
  on_reject: choice("fail", "skip"),
};

const approvalKind: StepKindRow = {
  main: closedMap(approvalKeys, ["message"]),
  keys: {},
  read: readApproval,
};

const setKind: StepKindRow = {
  main: { type: "object", propertyNames: schemaParts.name },
  keys: {},
  read: readSet,
};

/** The key that names a kind is the kind's name. */
export const stepKinds: Readonly<Record<StepKind, StepKindRow>> = {
  tool: toolKind,
  branch: branchKind,
  for_each: forEachKind,
  parallel: parallelKind,
  group: groupKind,
  workflow: childKind,
  approval: approvalKind,
  wait: waitKind,
  set: setKind,
};

// Proof of the cast: the record has exactly the kinds as keys.
export const stepKindNames: readonly StepKind[] = Object.keys(stepKinds) as StepKind[];

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
  const fields = readFields(field.node, Object.keys(retryKeys), { path: field.path, collector });
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

function readApproval(_fields: YamlFields, main: YamlField, { collector }: StepReading): Own<ApprovalStep> {
  const fields = readFields(main.node, Object.keys(approvalKeys), { path: main.path, collector });
  const field = fields?.require("message", "say what the person is asked");
  const message = field === undefined ? undefined : readTemplate(field.node, field.path, collector);
  return {
    kind: "approval",
    message: message ?? {
      kind: "template",
      template: { source: "", parts: [] },
      place: { ...main.at, path: main.path },
    },
    by: (fields && readRoles(fields, collector)) ?? ["approver", "admin"],
    expiresMs: (fields && readDuration(fields, "expires", collector)) ?? null,
    onReject: fields?.choice("on_reject", ["fail", "skip"]) ?? "fail",
  };
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
