/** Turns rules into an index, so that a decision looks at the few rules that can match instead of all. */
import { runMatcher } from "../../base/glob-states.ts";
import type { GlobToken } from "../../base/glob-pattern.ts";
import type { GlobAlternative } from "../../base/glob.ts";
import type { MatchedRule } from "./decision.ts";
import { reasonFor, whyMatched } from "./explain.ts";
import { effects } from "./policy.ts";
import type { Policy, PolicyRule, Section } from "./policy.ts";

/** Immutable; a reload makes a new one. */
export interface CompiledPolicy extends Pick<Policy, "thresholds" | "untrusted"> {
  readonly revision: string;
  readonly rules: readonly PolicyRule[];
  /** Sections with a default of their own, and what is said when it is used. */
  readonly defaults: readonly SectionDefault[];
  /** By the action name in the rule; `*` for rules about every action. */
  readonly byAction: ReadonlyMap<string, ResourceIndex>;
}

export interface SectionDefault {
  readonly section: Section;
  readonly effect: "deny" | "ask";
  readonly matched: MatchedRule;
}

/** One rule with one of its resource patterns. */
export interface Entry {
  readonly rule: PolicyRule;
  /** Null: any resource. */
  readonly alternative: GlobAlternative | null;
  /** Found through the index it matches without another look at the resource. */
  readonly isCertain: boolean;
  /** Nothing else is to be tested. */
  readonly isPlain: boolean;
  readonly section: Section | undefined;
  readonly demands: PolicyRule["demands"];
  readonly risk: PolicyRule["risk"];
  /** Ranks entries by strictness, then by name: never by their order in the file. */
  readonly order: number;
  readonly matched: MatchedRule;
  /** The decision's sentence when this entry is its only match. */
  readonly reason: string;
}

export interface ResourceIndex {
  readonly exact: ReadonlyMap<string, readonly Entry[]>;
  /** Patterns that begin with literal segments, as a tree of these. */
  readonly folders: FolderNode;
  /** Patterns such as any folder, `stale`, anything: by one literal segment. */
  readonly segments: ReadonlyMap<string, readonly Entry[]>;
  /** Patterns whose last segment ends with a literal extension, by what follows its last dot. */
  readonly extensions: ReadonlyMap<string, readonly Entry[]>;
  readonly rest: readonly Entry[];
}

export interface FolderNode {
  readonly children: ReadonlyMap<string, FolderNode>;
  readonly entries: readonly Entry[];
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const byAction = new Map<string, IndexBuilder>();
  for (const entry of createEntries(policy.rules)) {
    for (const action of new Set(entry.rule.actions)) {
      let builder = byAction.get(action);
      if (builder === undefined) byAction.set(action, (builder = createBuilder()));
      place(entry, builder);
    }
  }
  const { revision, rules, thresholds, untrusted } = policy;
  return {
    revision,
    rules,
    // By name, so that their order in the files says nothing, not even in the reason.
    defaults: (policy.sections ?? [])
      .flatMap(defaultOf)
      .sort((a, b) => (a.section.name < b.section.name ? -1 : 1)),
    byAction,
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(untrusted === undefined ? {} : { untrusted }),
  };
}

function defaultOf(section: Section): readonly SectionDefault[] {
  const { name, line, file, default: effect } = section;
  if (effect === null) return [];
  const why = `no rule of section ${name} speaks of it`;
  return [
    {
      section,
      effect,
      matched: { name: `${name} (default)`, effect, line, why, ...(file === undefined ? {} : { file }) },
    },
  ];
}

/** Calls `visit` for each entry whose resource pattern matches; one rule may come several times, by several patterns. */
export function visitMatches(index: ResourceIndex, resource: string, visit: (entry: Entry) => void): void {
  visitAll(index.exact.get(resource), resource, visit);
  if (index.folders.children.size > 0) visitFolders(index.folders, resource, visit);
  if (index.segments.size > 0) visitSegments(index.segments, resource, visit);
  if (index.extensions.size > 0) {
    visitAll(index.extensions.get(resource.slice(resource.lastIndexOf(".") + 1)), resource, visit);
  }
  visitAll(index.rest, resource, visit);
}

function visitAll(
  entries: readonly Entry[] | undefined,
  resource: string,
  visit: (entry: Entry) => void,
): void {
  if (entries === undefined) return;
  for (const entry of entries) {
    if (entry.isCertain || entry.alternative === null || runMatcher(entry.alternative.matcher, resource))
      visit(entry);
  }
}

function visitFolders(root: FolderNode, resource: string, visit: (entry: Entry) => void): void {
  let node: FolderNode | undefined = root;
  for (let from = 0; from <= resource.length;) {
    const slash = resource.indexOf("/", from);
    const end = slash < 0 ? resource.length : slash;
    node = node.children.get(resource.slice(from, end));
    if (node === undefined) return;
    visitAll(node.entries, resource, visit);
    from = end + 1;
  }
}

/** Each list is visited once, however often its segment is repeated in the resource. */
function visitSegments(
  index: ReadonlyMap<string, readonly Entry[]>,
  resource: string,
  visit: (entry: Entry) => void,
): void {
  const seen: (readonly Entry[])[] = [];
  for (let from = 0; from <= resource.length;) {
    const slash = resource.indexOf("/", from);
    const end = slash < 0 ? resource.length : slash;
    const entries = index.get(resource.slice(from, end));
    if (entries !== undefined && !seen.includes(entries)) {
      seen.push(entries);
      visitAll(entries, resource, visit);
    }
    from = end + 1;
  }
}

function createEntries(rules: readonly PolicyRule[]): readonly Entry[] {
  const sorted = rules.toSorted(
    (a, b) => effects.indexOf(a.effect) - effects.indexOf(b.effect) || (a.name < b.name ? -1 : 1),
  );
  const entries: Entry[] = [];
  for (const rule of sorted) {
    const alternatives = rule.resources.flatMap((glob) => glob.alternatives);
    for (const alternative of alternatives.length === 0 ? [null] : alternatives) {
      const { name, effect, line, file } = rule;
      const why = whyMatched(rule, alternative);
      const matched: MatchedRule = { name, effect, line, why, ...(file === undefined ? {} : { file }) };
      const kind = alternative?.matcher.kind;
      const isCertain = kind === "exact" || kind === "below";
      entries.push({
        rule,
        alternative,
        isCertain,
        isPlain: isPlain(rule),
        section: rule.section,
        demands: rule.demands,
        risk: rule.risk,
        order: entries.length,
        matched,
        reason: reasonFor(matched, 0),
      });
    }
  }
  return entries;
}

function isPlain(rule: PolicyRule): boolean {
  const { except, targets, conditions, labelsAny, scope } = rule;
  if (
    rule.flow !== undefined ||
    rule.riskScore !== undefined ||
    rule.window !== undefined ||
    rule.section !== undefined
  )
    return false;
  if (scope.user !== undefined) return false;
  return [except, targets, conditions, labelsAny, scope.agent, scope.role, scope.tenant].every(
    (part) => part.length === 0,
  );
}

interface FolderBuilder {
  readonly children: Map<string, FolderBuilder>;
  readonly entries: Entry[];
}

interface IndexBuilder {
  readonly exact: Map<string, Entry[]>;
  readonly folders: FolderBuilder;
  readonly segments: Map<string, Entry[]>;
  readonly extensions: Map<string, Entry[]>;
  readonly rest: Entry[];
}

function createBuilder(): IndexBuilder {
  return {
    exact: new Map(),
    folders: { children: new Map(), entries: [] },
    segments: new Map(),
    extensions: new Map(),
    rest: [],
  };
}

/** Puts an entry where the fewest resources find it. */
function place(entry: Entry, builder: IndexBuilder): void {
  const { alternative } = entry;
  if (alternative === null) {
    builder.rest.push(entry);
    return;
  }
  if (alternative.matcher.kind === "exact") return append(builder.exact, alternative.matcher.text, entry);
  const leading = leadingFolders(alternative);
  if (leading.length > 0) return placeInFolder(builder.folders, leading, entry);
  const segment = longestLiteral(alternative);
  if (segment !== undefined) return append(builder.segments, segment, entry);
  const extension = literalExtension(alternative);
  if (extension !== undefined) return append(builder.extensions, extension, entry);
  builder.rest.push(entry);
}

/** False for a pattern that the index cannot find quickly: it is tried on every decision about its action. */
export function isAnchored(alternative: GlobAlternative): boolean {
  return (
    leadingFolders(alternative).length > 0 ||
    longestLiteral(alternative) !== undefined ||
    literalExtension(alternative) !== undefined
  );
}

function append(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

function placeInFolder(root: FolderBuilder, folders: readonly string[], entry: Entry): void {
  let node = root;
  for (const folder of folders) {
    let child = node.children.get(folder);
    if (child === undefined) node.children.set(folder, (child = { children: new Map(), entries: [] }));
    node = child;
  }
  node.entries.push(entry);
}

function leadingFolders({ segments }: GlobAlternative): readonly string[] {
  const folders: string[] = [];
  for (const segment of segments) {
    if (segment.kind !== "literal") break;
    folders.push(segment.text);
  }
  return folders;
}

function longestLiteral({ segments }: GlobAlternative): string | undefined {
  let longest: string | undefined;
  for (const segment of segments) {
    if (segment.kind === "literal" && segment.text.length > (longest?.length ?? 0)) longest = segment.text;
  }
  return longest;
}

/** `png` for a last segment such as `*.png`: what a matching resource has behind its last dot. */
function literalExtension({ segments }: GlobAlternative): string | undefined {
  const last = segments.at(-1);
  if (last?.kind !== "wild") return undefined;
  const ending = endingUnits(last.tokens);
  const dot = ending.lastIndexOf(".");
  return dot < 0 ? undefined : ending.slice(dot + 1);
}

function endingUnits(tokens: readonly GlobToken[]): string {
  let text = "";
  for (const token of tokens) text = token.kind === "unit" ? text + String.fromCharCode(token.unit) : "";
  return text;
}
