/** Reads policy.yaml and the files of policy.d beside it; every mistake is named by line, column and field, nothing unknown passes. */
import { digestJson } from "../../base/digest.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import { HomeostatError } from "../../base/error.ts";
import { createFindingCollector, formatFinding, toErrorDetail } from "../../base/finding.ts";
import type { Finding, FindingCollector } from "../../base/finding.ts";
import { readFields } from "../../base/yaml-fields.ts";
import type { YamlField, YamlFields } from "../../base/yaml-fields.ts";
import { describeNode, readYaml, yamlValue } from "../../base/yaml-source.ts";
import type { Policy, PolicyRule, Section, UntrustedHandling } from "../rules/policy.ts";
import { blockingRule, readRule } from "./read-rule.ts";
import type { RulePlace } from "./read-rule.ts";
import { readTargets } from "./read-matchers.ts";
import { readSection, sectionKeys } from "./read-section.ts";
import { readThresholds, readUntrusted } from "./risk-reader.ts";
import type { RiskThresholds } from "../rules/risk-score.ts";

export type PolicyResult =
  | { readonly ok: true; readonly policy: Policy; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** One file of a policy. The first of several is policy.yaml; the others are named as in `policy.d/acme.yaml`. */
export interface PolicyText {
  readonly name: string;
  readonly text: string;
}

export const fileKeys = [
  "version",
  "scope",
  "default",
  "blocked",
  "untrusted",
  "risk",
  "rules",
  "sections",
] as const;
/** What speaks of a section: only in files of policy.d, as a whole or as one of several. */
const wholePolicyKeys = ["untrusted", "risk"] as const;

/** Never throws. `file` is put into the findings. At most 256 KB. */
export function parsePolicy(text: string, options: { readonly file?: string } = {}): PolicyResult {
  return parseFiles([{ name: undefined, shown: options.file, text }]);
}

/**
 * As parsePolicy, for policy.yaml and the files of policy.d. Files without `scope` are the organisation's, as policy.yaml is;
 * their order does not matter. Names of rules are unique in all of them.
 */
export function parsePolicyFiles(files: readonly PolicyText[]): PolicyResult {
  return parseFiles(
    files.map(({ name, text }, index) => ({ name: index === 0 ? undefined : name, shown: name, text })),
  );
}

/** As parsePolicy, but throws POLICY_INVALID with the findings as details. */
export function requirePolicy(text: string, options: { readonly file?: string } = {}): Policy {
  return requireGood(parsePolicy(text, options));
}

/** The policy, or POLICY_INVALID with the findings as details. */
export function requireGood(result: PolicyResult): Policy {
  if (result.ok) return result.policy;
  const errors = result.findings.filter((finding) => finding.severity === "error");
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  // What is not good has an error.
  const message = `The policy is not valid: ${formatFinding(errors[0]!)}${others}`;
  throw new HomeostatError("POLICY_INVALID", message, {}, { details: errors.map(toErrorDetail) });
}

interface Source {
  /** Undefined for policy.yaml. */
  readonly name: string | undefined;
  /** How findings name it. */
  readonly shown: string | undefined;
  readonly text: string;
}

/** What one file says. */
interface FilePart {
  readonly rules: readonly PolicyRule[];
  readonly sections: readonly Section[];
  readonly thresholds: RiskThresholds | undefined;
  readonly untrusted: UntrustedHandling | undefined;
  readonly value: JsonValue;
}

function parseFiles(sources: readonly Source[]): PolicyResult {
  const names: RulePlace["names"] = new Map();
  const parts: FilePart[] = [];
  const findings: Finding[] = [];
  let isGood = true;
  for (const source of sources) {
    const read = readYaml(source.text, source.shown);
    const collector = createFindingCollector(source.shown);
    const part = read.ok ? readFile(read.root, source, { names, collector }) : undefined;
    findings.push(...(read.ok ? collector.findings() : read.findings));
    if (part === undefined || collector.hasErrors()) isGood = false;
    else parts.push(part);
  }
  if (!isGood) return { ok: false, findings };
  const thresholds = parts
    .flatMap((part) => part.thresholds ?? [])
    .reduce<RiskThresholds | undefined>(lower, undefined);
  const untrusted = parts
    .flatMap((part) => part.untrusted ?? [])
    .reduce<UntrustedHandling | undefined>(stricter, undefined);
  const sections = parts.flatMap((part) => part.sections);
  const policy: Policy = {
    version: 1,
    rules: parts.flatMap((part) => part.rules),
    revision: revisionOf(sources, parts),
    ...(sections.length === 0 ? {} : { sections }),
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(untrusted === undefined ? {} : { untrusted }),
  };
  return { ok: true, policy, warnings: findings };
}

/** One file has the digest of its content; several the digest of all with their names. */
function revisionOf(sources: readonly Source[], parts: readonly FilePart[]): string {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return `sha256:${digestJson(first.value)}`;
  const all = parts.map(({ value }, index) => ({ name: sources[index]?.name ?? "", value }));
  return `sha256:${digestJson(all.sort((a, b) => (a.name < b.name ? -1 : 1)))}`;
}

function lower(a: RiskThresholds | undefined, b: RiskThresholds): RiskThresholds {
  const least = (x: number | null | undefined, y: number | null): number | null =>
    x === null || x === undefined ? y : Math.min(x, y ?? x);
  return { ask: least(a?.ask, b.ask), deny: least(a?.deny, b.deny) };
}

function stricter(a: UntrustedHandling | undefined, b: UntrustedHandling): UntrustedHandling {
  if (a === undefined) return b;
  const instructions = a.instructions === "strip" || b.instructions === "strip" ? "strip" : "quote";
  return { instructions, from: Math.min(a.from, b.from) };
}

function readFile(
  root: Parameters<typeof yamlValue>[0],
  { name }: Source,
  { names, collector }: Pick<RulePlace, "names" | "collector">,
): FilePart | undefined {
  const fields = readFields(root, fileKeys, { path: "", collector });
  if (fields === undefined) return undefined;
  checkVersion(fields, collector);
  const section = readFileSection(fields, name, collector);
  const place: RulePlace = { names, collector, section, file: name };
  const inner = readSections(fields.field("sections"), place);
  return {
    rules: [...readRules(fields, place), ...inner.flatMap((each) => each.rules)],
    sections: [...(section === undefined ? [] : [section]), ...inner.flatMap((each) => each.section)],
    thresholds: readThresholds(fields.field("risk"), collector),
    untrusted: readUntrusted(fields.field("untrusted"), collector),
    value: yamlValue(root),
  };
}

function checkVersion(fields: YamlFields, collector: FindingCollector): void {
  const version = fields.require("version", "the first line is `version: 1`");
  const value = version?.node.kind === "scalar" ? version.node.value : undefined;
  // The short form is often written with `version: "1.0"`; it means the same.
  if (version === undefined || [1, "1", "1.0"].some((known) => known === value)) return;
  collector.error(version.at, "version", `this program reads version 1, found ${describeNode(version.node)}`);
}

/** A file with `scope` is one section. policy.yaml has none: it is the organisation's. */
function readFileSection(
  fields: YamlFields,
  name: string | undefined,
  collector: FindingCollector,
): Section | undefined {
  const scope = fields.field("scope");
  if (scope === undefined) {
    const field = fields.field("default");
    if (field !== undefined)
      collector.error(
        field.keyAt,
        field.path,
        "`default` is for sections; here what no rule allows is denied anyway",
        "remove it, or say whom the file is for with `scope`",
      );
    return undefined;
  }
  if (name === undefined) {
    const hint = "put the rules under `sections`, or into a file of their own in policy.d";
    collector.error(scope.keyAt, scope.path, "policy.yaml speaks for the whole organisation", hint);
  }
  for (const key of wholePolicyKeys) {
    const field = fields.field(key);
    const problem = `\`${key}\` is for the whole organisation`;
    if (field !== undefined) collector.error(field.keyAt, field.path, problem, "it belongs into policy.yaml");
  }
  return readSection(fields, { name: name ?? "policy", file: name, outer: [], collector });
}

function readRules(fields: YamlFields, place: RulePlace): readonly PolicyRule[] {
  const { collector } = place;
  const hasMore = fields.field("sections") !== undefined || place.section?.default != null;
  const field = hasMore
    ? fields.field("rules")
    : fields.require("rules", "an empty list, `rules: []`, denies everything");
  const nodes = field?.node.kind === "list" ? field.node.items : [];
  if (field !== undefined && field.node.kind !== "list") {
    const hint = "each rule begins with `- name: ...`";
    collector.error(
      field.at,
      field.path,
      `expected a list of rules, found ${describeNode(field.node)}`,
      hint,
    );
  }
  const rules = nodes.flatMap((node, index) => readRule(node, `${field!.path}[${index}]`, place));
  return [...readBlocked(fields.field("blocked"), place), ...rules];
}

/** `blocked`: targets that no rule can allow, for every action. */
function readBlocked(field: YamlField | undefined, place: RulePlace): readonly PolicyRule[] {
  if (field === undefined) return [];
  const targets = readTargets(field, place.collector);
  if (targets.length === 0) return [];
  const name =
    place.section === undefined && place.file === undefined
      ? "blocked"
      : `blocked (${place.section?.name ?? place.file})`;
  return [blockingRule(name, field.keyAt, { actions: ["*"], targets, place })];
}

function readSections(
  field: YamlField | undefined,
  place: RulePlace,
): readonly { readonly section: Section; readonly rules: readonly PolicyRule[] }[] {
  if (field === undefined) return [];
  const { collector } = place;
  if (field.node.kind !== "list") {
    collector.error(field.at, field.path, `expected a list of sections, found ${describeNode(field.node)}`);
    return [];
  }
  return field.node.items.flatMap((node, index) => {
    const path = `${field.path}[${index}]`;
    const fields = readFields(node, sectionKeys, { path, collector });
    if (fields === undefined) return [];
    const name = place.file === undefined ? path : `${place.file} ${path}`;
    const section = readSection(fields, {
      name,
      file: place.file,
      outer: place.section?.scopes ?? [],
      collector,
    });
    return section === undefined ? [] : [{ section, rules: readRules(fields, { ...place, section }) }];
  });
}
