/** Reads the keys at the top of a policy that are no rules: `risk` (thresholds) and `untrusted` (what agents are shown). */
import type { FindingCollector } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField } from "../../base/yaml-fields.ts";
import type { UntrustedHandling } from "../rules/policy.ts";
import type { RiskThresholds } from "../rules/risk-score.ts";

export function readThresholds(
  field: YamlField | undefined,
  collector: FindingCollector,
): RiskThresholds | undefined {
  if (field === undefined) return undefined;
  const fields = readFields(field.node, ["ask", "deny"], { path: field.path, collector });
  if (fields === undefined) return undefined;
  const ask = fields.integer("ask", 1, 100) ?? null;
  const deny = fields.integer("deny", 1, 100) ?? null;
  if (fields.keys().length === 0)
    collector.error(
      field.at,
      field.path,
      "no threshold is given",
      "for example `risk: { ask: 60, deny: 90 }`",
    );
  if (ask !== null && deny !== null && ask >= deny) {
    collector.error(
      field.at,
      field.path,
      `nothing would be asked: actions are denied from ${deny} on`,
      "`ask` is below `deny`",
    );
  }
  return { ask, deny };
}

export function readUntrusted(
  field: YamlField | undefined,
  collector: FindingCollector,
): UntrustedHandling | undefined {
  if (field === undefined) return undefined;
  const fields = readFields(field.node, ["instructions", "from"], { path: field.path, collector });
  const instructions =
    fields?.require("instructions", "quote or strip") &&
    fields.choice("instructions", ["quote", "strip"] as const);
  const from = fields?.integer("from", 1, 100) ?? 70;
  return instructions === undefined ? undefined : { instructions, from };
}
