/** Reads whom a section of a policy speaks for, and what becomes of actions that its rules do not name. */
import type { FindingCollector } from "../../base/finding.ts";
import type { YamlFields } from "../../base/yaml-fields.ts";
import type { RuleScope, Section, SectionLevel } from "../rules/policy.ts";
import { readScope } from "./read-matchers.ts";

export const sectionKeys = ["name", "scope", "default", "blocked", "rules"] as const;

/** Undefined (reported) when it does not say whom it is for. `outer` are scopes it stands in. */
export function readSection(
  fields: YamlFields,
  place: {
    readonly name: string;
    readonly file: string | undefined;
    readonly outer: readonly RuleScope[];
    readonly collector: FindingCollector;
  },
): Section | undefined {
  const { collector, file, outer } = place;
  const field = fields.require("scope", "for example `scope: { tenant: acme }`");
  if (field === undefined) return undefined;
  const own = readScope(field, collector);
  const scopes = [...outer, own];
  return {
    name: fields.text("name") ?? place.name,
    level: levelOf(scopes),
    scopes,
    default: fields.choice("default", ["deny", "ask"] as const) ?? null,
    line: fields.at.line,
    ...(file === undefined ? {} : { file }),
  };
}

/** The narrowest thing any of its scopes names; a role stands for its users. */
function levelOf(scopes: readonly RuleScope[]): SectionLevel {
  const names = (part: "user" | "role" | "agent"): boolean =>
    scopes.some((scope) => (scope[part]?.length ?? 0) > 0);
  if (names("user") || names("role")) return "user";
  return names("agent") ? "agent" : "tenant";
}
