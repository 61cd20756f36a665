/** The kinds of step that hold other steps: branch, for_each, parallel and group. */
import type { JsonObject } from "../base/canonical-json.ts";
import { readFields } from "../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode, joinPath } from "../base/yaml-source.ts";
import { choice, closedMap, schemaParts, wholeNumber } from "./schema-parts.ts";
import { literal, readCondition, readDuration, readValue } from "./step-parts.ts";
import { namePattern, reservedNames } from "./step-reading.ts";
import type { Own, StepKindRow, StepReading } from "./step-reading.ts";
import { laneErrorModes } from "./workflow.ts";
import type { BranchStep, ForEachStep, GroupStep, ParallelStep } from "./workflow.ts";

/** More at once than these would only queue behind each other. */
const mostLanes = 64;

const laneKeys: Readonly<Record<string, JsonObject>> = {
  concurrency: wholeNumber(1, mostLanes),
  on_error: choice(...laneErrorModes),
};

const armSchema: JsonObject = {
  anyOf: [
    closedMap({ when: schemaParts.condition, steps: schemaParts.steps }, ["when", "steps"]),
    closedMap({ else: schemaParts.steps }, ["else"]),
  ],
};

export const branchKind: StepKindRow = {
  main: { type: "array", minItems: 1, items: armSchema },
  keys: { timeout: schemaParts.duration },
  read: readBranch,
};

export const forEachKind: StepKindRow = {
  main: schemaParts.list,
  keys: {
    as: schemaParts.name,
    steps: schemaParts.steps,
    collect: schemaParts.value,
    timeout: schemaParts.duration,
    ...laneKeys,
  },
  required: ["steps"],
  read: readForEach,
};

export const parallelKind: StepKindRow = {
  main: {
    type: "object",
    minProperties: 1,
    propertyNames: schemaParts.name,
    additionalProperties: schemaParts.steps,
  },
  keys: { timeout: schemaParts.duration, ...laneKeys },
  read: readParallel,
};

export const groupKind: StepKindRow = {
  main: schemaParts.steps,
  keys: { timeout: schemaParts.duration },
  read: (fields, main, reading): Own<GroupStep> => ({
    kind: "group",
    steps: reading.readSteps(main),
    timeoutMs: readDuration(fields, "timeout", reading.collector) ?? null,
  }),
};

function readBranch(fields: YamlFields, main: YamlField, reading: StepReading): Own<BranchStep> {
  const { collector } = reading;
  const nodes = main.node.kind === "list" ? main.node.items : [];
  if (nodes.length === 0) {
    const hint =
      "a branch is a list: `- when: ${{ ... }}` with `steps:`, and at most one `- else:` at the end";
    collector.error(main.at, main.path, `expected a list of arms, found ${describeNode(main.node)}`, hint);
  }
  const arms = nodes.map((node, index) => {
    const path = `${main.path}[${index}]`;
    const arm = readFields(node, ["when", "steps", "else"], { path, collector });
    const otherwise = arm?.field("else");
    if (arm === undefined) return { when: null, steps: [] };
    if (otherwise === undefined) return readArm(arm, reading);
    checkElse(otherwise, { keys: arm.keys().length, index, arms: nodes.length }, reading);
    return { when: null, steps: reading.readSteps(otherwise) };
  });
  return { kind: "branch", arms, timeoutMs: readDuration(fields, "timeout", collector) ?? null };
}

function checkElse(
  otherwise: YamlField,
  arm: { readonly keys: number; readonly index: number; readonly arms: number },
  { collector }: StepReading,
): void {
  const { keyAt, path } = otherwise;
  if (arm.keys > 1) {
    collector.error(keyAt, path, "`else` stands alone", "its steps are its value: `- else: [...]`");
  }
  if (arm.index < arm.arms - 1) collector.error(keyAt, path, "`else` must be the last arm");
  if (arm.arms === 1) collector.error(keyAt, path, "a branch needs a `when` before `else`");
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
      "letters, digits and _; not inputs, steps, run, error or index",
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
    // One round after the other unless the file asks for more.
    ...readLanes(fields, 1, reading),
  };
}

function readParallel(fields: YamlFields, main: YamlField, reading: StepReading): Own<ParallelStep> {
  const { collector } = reading;
  const entries = main.node.kind === "map" ? main.node.entries : [];
  if (entries.length === 0) {
    const hint = "name each branch: `left: [...]`";
    const found = describeNode(main.node);
    collector.error(main.at, main.path, `expected branches by name, found ${found}`, hint);
  }
  if (entries.length > mostLanes) {
    collector.error(main.at, main.path, `there are ${entries.length} branches; at most ${mostLanes}`);
  }
  const branches = entries.map(({ key, keyAt, value }) => {
    const path = joinPath(main.path, key);
    if (!namePattern.test(key)) {
      const problem = `${JSON.stringify(key.slice(0, 80))} cannot name a branch`;
      collector.error(keyAt, path, problem, "letters, digits and _, for example left");
    }
    return { name: key, steps: reading.readSteps({ at: value.at, keyAt, path, node: value }) };
  });
  return { kind: "parallel", branches, ...readLanes(fields, mostLanes, reading) };
}

function readLanes(fields: YamlFields, concurrency: number, { collector }: StepReading) {
  return {
    timeoutMs: readDuration(fields, "timeout", collector) ?? null,
    concurrency: fields.integer("concurrency", 1, mostLanes) ?? concurrency,
    onLaneError: fields.choice("on_error", laneErrorModes) ?? "fail",
  } as const;
}
