/** Finds rules that load but do not do what they seem to: unknown actions, slow patterns, rules without effect. */
import type { Finding } from "../../base/finding.ts";
import type { Glob, GlobAlternative } from "../../base/glob.ts";
import { suggestName } from "../../base/nearest.ts";
import { isAnchored } from "../rules/compile.ts";
import { effects } from "../rules/policy.ts";
import type { Policy, PolicyRule } from "../rules/policy.ts";
import { warnOfNames } from "./lint-names.ts";
import type { WarnOf } from "./lint-names.ts";

export interface LintOptions {
  /** Names of the actions this server has. */
  readonly knownActions: readonly string[];
  readonly file?: string;
}

/** Warnings only, in the order of the file. Never throws. */
export function lintPolicy(policy: Policy, { knownActions, file }: LintOptions): readonly Finding[] {
  const found: Finding[] = [];
  const warn: WarnOf = (about, message, hint) => {
    const path = `${"scopes" in about ? "section" : "rule"} \`${about.name}\``;
    const place = { severity: "warning", line: about.line, column: 1, path } as const;
    found.push({ ...place, ...(file === undefined ? {} : { file }), message, hint });
  };
  warnOfNames(policy, warn);
  const subjects = policy.rules.map((rule) => ({ rule, patterns: alternativesOf(rule.resources) }));
  const coverers = indexCoverers(subjects.filter(({ rule }) => isUnconditional(rule)));
  for (const subject of subjects) {
    const { rule } = subject;
    warnOfActions(rule, knownActions, warn);
    warnOfPatterns(subject, warn);
    warnOfBreadth(rule, warn);
    const shadow = coverers(subject).find((other) => other !== subject && shadows(other, subject));
    if (shadow !== undefined) warnOfShadow(rule, shadow.rule, warn);
  }
  return found.sort((a, b) => a.line - b.line);
}

/** A rule with its resource patterns at hand. */
interface Subject {
  readonly rule: PolicyRule;
  readonly patterns: readonly GlobAlternative[];
}

/** Rules by one action and one pattern: to compare all pairs took 40 ms for 1,000 rules. */
function indexCoverers(coverers: readonly Subject[]): (subject: Subject) => readonly Subject[] {
  const byKey = new Map<string, Subject[]>();
  for (const coverer of coverers) {
    const patterns = coverer.patterns.length === 0 ? ["**"] : coverer.patterns.map(keyOfPattern);
    for (const key of new Set(
      coverer.rule.actions.flatMap((name) => patterns.map((pattern) => `${name} ${pattern}`)),
    )) {
      const others = byKey.get(key);
      if (others === undefined) byKey.set(key, [coverer]);
      else others.push(coverer);
    }
  }
  return ({ rule, patterns }) => {
    const names = wideningNames(rule.actions[0]!);
    const found = new Set(
      names.flatMap((name) =>
        wideningPatterns(patterns[0]).flatMap((pattern) => byKey.get(`${name} ${pattern}`) ?? []),
      ),
    );
    return [...found].sort((a, b) => a.rule.line - b.rule.line);
  };
}

/** `*`, `file_ops` and `file_ops.read` for the last of these. */
function wideningNames(action: string): readonly string[] {
  const names = action.split(".").map((_, index, parts) => parts.slice(0, index + 1).join("."));
  return action === "*" ? ["*"] : ["*", ...names];
}

/** Patterns written differently (`a\b/**`) that mean the same folder have one key. */
function keyOfPattern({ source, matcher }: GlobAlternative): string {
  return matcher.kind === "below" ? `${matcher.text}/**` : source;
}

/** Keys of all patterns that `coversPattern` may find wider than this one. */
function wideningPatterns(pattern: GlobAlternative | undefined): readonly string[] {
  if (pattern === undefined) return ["**"];
  const sources = ["**", keyOfPattern(pattern)];
  const folders: string[] = [];
  for (const segment of pattern.segments) {
    if (segment.kind !== "literal") break;
    folders.push(segment.text);
    sources.push(`${folders.join("/")}/**`);
  }
  return sources;
}

function warnOfActions(rule: PolicyRule, knownActions: readonly string[], warn: WarnOf): void {
  for (const action of rule.actions) {
    if (action === "*" || knownActions.some((known) => covers(action, known))) continue;
    warn(
      rule,
      `no tool has the action \`${action}\`, so the rule never matches`,
      suggestName(action, knownActions),
    );
  }
}

function warnOfPatterns({ rule, patterns }: Subject, warn: WarnOf): void {
  for (const alternative of patterns) {
    const isAnything = alternative.source === "**";
    if (isAnything || alternative.matcher.kind !== "states" || isAnchored(alternative)) continue;
    const what = `the pattern \`${alternative.source}\` has no literal folder, name or extension`;
    warn(rule, `${what}: it is tried on every decision`, "begin it with the root, for example workspace/**");
  }
}

function warnOfBreadth(rule: PolicyRule, warn: WarnOf): void {
  if (rule.effect !== "allow" || !rule.actions.includes("*")) return;
  if (rule.resources.length > 0 && !rule.resources.some((glob) => glob.source === "**")) return;
  warn(rule, "the rule allows every action, those of later versions too", "name the actions");
}

function warnOfShadow(rule: PolicyRule, other: PolicyRule, warn: WarnOf): void {
  if (other.effect === rule.effect) {
    warn(rule, `rule \`${other.name}\` (line ${other.line}) says the same of more`, "remove one of them");
    return;
  }
  const stronger = `rule \`${other.name}\` (line ${other.line}) covers all of it with ${other.effect}`;
  warn(
    rule,
    `the rule has no effect: ${stronger}`,
    `${other.effect} beats ${rule.effect}, whatever the order`,
  );
}

/** `other` matches whenever `rule` does, and is stricter, or as strict without `rule` adding anything. */
function shadows({ rule: other, patterns: wide }: Subject, { rule, patterns }: Subject): boolean {
  const difference = effects.indexOf(other.effect) - effects.indexOf(rule.effect);
  if (difference > 0 || rule.targets.length > 0 || !coversPatterns(wide, patterns)) return false;
  if (!rule.actions.every((action) => other.actions.some((name) => covers(name, action)))) return false;
  if (difference < 0) return true;
  const adds = Object.keys(rule.demands).length > 0 || rule.risk !== other.risk;
  // Of two rules that say the same the later one is told.
  const isTwin = isUnconditional(rule) && coversPatterns(patterns, wide) && other.line > rule.line;
  return !adds && !isTwin;
}

function isUnconditional(rule: PolicyRule): boolean {
  if (
    rule.flow !== undefined ||
    rule.riskScore !== undefined ||
    rule.window !== undefined ||
    rule.section !== undefined
  )
    return false;
  const { agent, role, tenant, user = [] } = rule.scope;
  const parts = [rule.targets, rule.except, rule.conditions, rule.labelsAny, agent, role, tenant, user];
  return parts.every((part) => part.length === 0);
}

/** `file_ops` covers `file_ops.read`; `*` covers all. */
function covers(pattern: string, action: string): boolean {
  return pattern === "*" || pattern === action || action.startsWith(`${pattern}.`);
}

/** Careful: false when in doubt. No patterns at all means any resource. */
function coversPatterns(wide: readonly GlobAlternative[], narrow: readonly GlobAlternative[]): boolean {
  if (wide.length === 0) return true;
  return narrow.length > 0 && narrow.every((one) => wide.some((other) => coversPattern(other, one)));
}

function coversPattern(wide: GlobAlternative, narrow: GlobAlternative): boolean {
  if (wide.source === narrow.source || wide.source === "**") return true;
  if (wide.matcher.kind !== "below") return false;
  return wide.segments.every((folder, index) => {
    const segment = narrow.segments[index];
    return (
      folder.kind === "deep" ||
      (segment?.kind === "literal" && folder.kind === "literal" && segment.text === folder.text)
    );
  });
}

function alternativesOf(globs: readonly Glob[]): readonly GlobAlternative[] {
  return globs.flatMap((glob) => glob.alternatives);
}
