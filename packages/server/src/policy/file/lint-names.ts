/** Finds names in rules that stand for nobody and patterns that no resource has: such a rule loads and never matches. */
import { matchesGlob } from "../../base/glob.ts";
import type { Glob } from "../../base/glob.ts";
import { nearestName } from "../../base/nearest.ts";
import type { Policy, PolicyRule, RuleScope, Section } from "../rules/policy.ts";

/** The roles of the control plane; `none` has whoever may not use it any more. A test compares them with those. */
export const knownRoles: readonly string[] = ["viewer", "operator", "approver", "admin", "none"];

/** What a rule or section says that cannot be meant, and what may have been. */
export type WarnOf = (about: PolicyRule | Section, message: string, hint: string) => void;

/** Tells each through `warn`; rules in their order, then sections. Never throws. */
export function warnOfNames({ rules }: Policy, warn: WarnOf): void {
  for (const rule of rules) {
    warnOfScope(rule, rule.scope, warn);
    warnOfResponders(rule, warn);
    for (const glob of [...rule.resources, ...rule.except]) warnOfResource(rule, glob, warn);
    warnOfShell(rule, rules, warn);
  }
  for (const section of new Set(rules.map((rule) => rule.section)))
    for (const scope of section?.scopes ?? []) warnOfScope(section!, scope, warn);
}

function warnOfScope(about: PolicyRule | Section, { role, user = [], agent }: RuleScope, warn: WarnOf): void {
  for (const glob of role) {
    if (knownRoles.some((known) => matchesGlob(glob, known))) continue;
    warn(about, `no role is called \`${glob.source}\``, roleHint(glob.source));
  }
  for (const glob of user)
    if (!mayBegin(glob, "user:"))
      warn(about, `no user is called \`${glob.source}\``, `people are named \`user:${glob.source}\``);
  for (const glob of agent)
    if (!mayBegin(glob, "workflow:"))
      warn(about, `no agent is called \`${glob.source}\``, `a workflow is named \`workflow:${glob.source}\``);
}

function warnOfResponders(rule: PolicyRule, warn: WarnOf): void {
  for (const name of rule.demands.approval?.by ?? []) {
    if (name.startsWith("user:") || knownRoles.includes(name)) continue;
    warn(rule, `no role is called \`${name}\`, so it can answer nothing`, roleHint(name));
  }
}

function roleHint(name: string): string {
  const near = nearestName(name, knownRoles);
  return near === undefined
    ? `roles are ${knownRoles.slice(0, 4).join(", ")}; people are named user:NAME`
    : `did you mean \`${near}\`?`;
}

/** True when a text that begins so may match. */
function mayBegin({ alternatives }: Glob, start: string): boolean {
  return alternatives.some(({ source }) => source.startsWith(start) || wildcards.test(source));
}

/** A pattern that begins with one may stand for any beginning. */
const wildcards = /^[*?[]/;

function warnOfResource(rule: PolicyRule, { alternatives }: Glob, warn: WarnOf): void {
  for (const { source } of alternatives) {
    if (source.startsWith("/")) {
      const hint = "files are named by their root, without a first /: for example workspace/out/**";
      warn(rule, `the pattern \`${source}\` begins with /, which no resource does`, hint);
    }
    const address = /^(https?):\/\/([^/]*)(.*)$/i.exec(source);
    if (address === null) continue;
    const [, scheme = "", authority = "", path = ""] = address;
    const wanted = fullAddress(scheme, authority);
    if (wanted === `${scheme}://${authority}`) continue;
    const why = "addresses have small letters and a port";
    warn(rule, `the pattern \`${source}\` matches no address: ${why}`, `write \`${wanted}${path || "/**"}\``);
  }
}

/** As resources are written; what ends in a wildcard or has a set in it may stand for the port too. */
function fullAddress(scheme: string, authority: string): string {
  const start = scheme.toLowerCase();
  const host = authority.toLowerCase();
  const hasPort = /:|[*?\]]$|^$/.test(host);
  return `${start}://${host}${hasPort ? "" : start === "https" ? ":443" : ":80"}`;
}

/** A shell that may start and run nothing: its commands are judged beside it, and what no rule allows is denied. */
function warnOfShell(rule: PolicyRule, rules: readonly PolicyRule[], warn: WarnOf): void {
  if (rule.effect !== "allow" || !rule.resources.some(({ source }) => source === "bash")) return;
  const namesCommands = (glob: Glob): boolean => mayBegin(glob, "bash/");
  const isHeard = rules.some(
    ({ effect, actions, resources }) =>
      effect !== "deny" &&
      actions.some((action) => ["*", "code_exec", "code_exec.run"].includes(action)) &&
      (resources.length === 0 || resources.some(namesCommands)),
  );
  if (isHeard) return;
  const message = "the shell may start, and no rule lets it run a command: each is judged as `bash/NAME`";
  warn(rule, message, "add `bash/**`, or the commands by name, such as `bash/{ls,sort}`");
}
