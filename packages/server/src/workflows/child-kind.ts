/** The kind of step that runs another workflow: a registered one by name, or a file the task brought. */
import type { YamlField, YamlFields } from "../base/yaml-fields.ts";
import { describeNode } from "../base/yaml-source.ts";
import { schemaParts } from "./schema-parts.ts";
import { literal, readDuration, readValue } from "./step-parts.ts";
import type { Own, StepKindRow, StepReading } from "./step-reading.ts";
import type { ChildStep } from "./workflow.ts";

export const workflowNamePattern: RegExp = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const filePattern = /^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\\\0]{1,1000}\.ya?ml$/;

export const childKind: StepKindRow = {
  main: {
    type: "string",
    anyOf: [{ pattern: workflowNamePattern.source }, { pattern: "\\.ya?ml$" }],
  },
  keys: { inputs: schemaParts.map, timeout: schemaParts.duration },
  read: readChild,
};

function readChild(fields: YamlFields, main: YamlField, { collector }: StepReading): Own<ChildStep> {
  const value = fields.text("workflow") ?? "";
  const isName = workflowNamePattern.test(value) && value.length <= 128;
  if (value !== "" && !isName && !filePattern.test(value)) {
    const problem = `${JSON.stringify(value.slice(0, 80))} names no workflow`;
    const hint = "a registered name such as brand-audit, or a file of the task such as steps/clean.yaml";
    collector.error(main.at, main.path, problem, hint);
  }
  const inputs = fields.field("inputs");
  if (inputs !== undefined && inputs.node.kind !== "map") {
    collector.error(inputs.at, inputs.path, `expected a map of inputs, found ${describeNode(inputs.node)}`);
  }
  return {
    kind: "workflow",
    source: { kind: isName ? "name" : "file", value },
    inputs: inputs === undefined ? literal({}) : readValue(inputs.node, inputs.path, collector),
    timeoutMs: readDuration(fields, "timeout", collector) ?? null,
  };
}
