/** Reads the fields of a YAML map one by one with their positions; unknown keys and wrong types become findings. */
import type { FindingCollector, Position } from "./finding.ts";
import { nearestName, suggestName } from "./nearest.ts";
import { describeNode, joinPath } from "./yaml-source.ts";
import type { YamlEntry, YamlNode } from "./yaml-source.ts";

export interface YamlField {
  readonly at: Position;
  readonly keyAt: Position;
  readonly path: string;
  readonly node: YamlNode;
}

/** Each reader returns undefined when the field is absent or wrong; wrong ones have been reported. */
export interface YamlFields {
  readonly at: Position;
  readonly path: string;
  field(key: string): YamlField | undefined;
  keys(): readonly string[];
  /** Reports a missing field. */
  require(key: string, hint?: string): YamlField | undefined;
  text(key: string): string | undefined;
  boolean(key: string): boolean | undefined;
  integer(key: string, least: number, most: number): number | undefined;
  choice<T extends string>(key: string, choices: readonly T[]): T | undefined;
  /** A list of texts; one text alone stands for a list of one. */
  texts(key: string): readonly string[] | undefined;
}

export interface YamlPlace {
  readonly path: string;
  readonly collector: FindingCollector;
}

/** The fields of a map, or undefined (reported) when `node` is none. Keys not in `known` are reported with the nearest. */
export function readFields(
  node: YamlNode,
  known: readonly string[],
  { path, collector }: YamlPlace,
): YamlFields | undefined {
  if (node.kind !== "map") {
    const hint = `known here: ${known.join(", ")}`;
    collector.error(node.at, path, `expected a map, found ${describeNode(node)}`, hint);
    return undefined;
  }
  const entries = new Map<string, YamlEntry>();
  for (const entry of node.entries) {
    if (known.includes(entry.key)) entries.set(entry.key, entry);
    else
      collector.error(
        entry.keyAt,
        joinPath(path, entry.key),
        `unknown key \`${entry.key}\``,
        suggestName(entry.key, known),
      );
  }
  return createFields(node, entries, { path, collector });
}

function createFields(node: YamlNode, entries: ReadonlyMap<string, YamlEntry>, place: YamlPlace): YamlFields {
  const { path, collector } = place;
  function field(key: string): YamlField | undefined {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    return { at: entry.value.at, keyAt: entry.keyAt, path: joinPath(path, key), node: entry.value };
  }
  function scalar<T>(key: string, wanted: string, read: (value: unknown) => T | undefined): T | undefined {
    const found = field(key);
    if (found === undefined) return undefined;
    const value = found.node.kind === "scalar" ? read(found.node.value) : undefined;
    if (value === undefined)
      collector.error(found.at, found.path, `expected ${wanted}, found ${describeNode(found.node)}`);
    return value;
  }
  return {
    at: node.at,
    path,
    field,
    keys: () => [...entries.keys()],
    require(key, hint) {
      const found = field(key);
      if (found === undefined) collector.error(node.at, path, `the key \`${key}\` is missing`, hint);
      return found;
    },
    text: (key) => scalar(key, "a text", (value) => (typeof value === "string" ? value : undefined)),
    boolean: (key) =>
      scalar(key, "true or false", (value) => (typeof value === "boolean" ? value : undefined)),
    integer: (key, least, most) =>
      scalar(key, `a whole number from ${least} to ${most}`, (value) =>
        typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
          ? value
          : undefined,
      ),
    choice(key, choices) {
      const found = field(key);
      if (found === undefined) return undefined;
      const value = found.node.kind === "scalar" ? found.node.value : undefined;
      const chosen = choices.find((choice) => choice === value);
      if (chosen === undefined) {
        // All choices stand in the message.
        const near = typeof value === "string" ? nearestName(value, choices) : undefined;
        collector.error(
          found.at,
          found.path,
          `expected ${choices.join(", ")}; found ${describeNode(found.node)}`,
          near === undefined ? undefined : `did you mean \`${near}\`?`,
        );
      }
      return chosen;
    },
    texts(key) {
      const found = field(key);
      return found === undefined ? undefined : readTexts(found, collector);
    },
  };
}

function readTexts({ node, path }: YamlField, collector: FindingCollector): readonly string[] | undefined {
  const items = node.kind === "list" ? node.items : [node];
  const texts = items.flatMap((item) =>
    item.kind === "scalar" && typeof item.value === "string" ? [item.value] : [],
  );
  if (texts.length === items.length) return texts;
  collector.error(node.at, path, `expected a text or a list of texts, found ${describeNode(node)}`);
  return undefined;
}
