/** Reads homeostat.yaml into plain values with their places; unknown keys are findings with the nearest known one. */
import type { JsonValue } from "../base/canonical-json.ts";
import { createFindingCollector } from "../base/finding.ts";
import type { Finding, Position } from "../base/finding.ts";
import { readFields } from "../base/yaml-fields.ts";
import { readYaml, yamlValue } from "../base/yaml-source.ts";
import type { YamlNode } from "../base/yaml-source.ts";

export interface FileValue {
  readonly value: JsonValue;
  readonly at: Position;
}

export interface ConfigFile {
  /** By dotted key, for example `http.bodyLimitBytes`. */
  readonly values: ReadonlyMap<string, FileValue>;
  readonly findings: readonly Finding[];
}

/** `keys` are all dotted keys that a file may hold. Pure; a file of blanks and comments is an empty configuration. */
export function readConfigFile(text: string, file: string, keys: readonly string[]): ConfigFile {
  const values = new Map<string, FileValue>();
  if (/^(\s*(#.*)?(\n|$))*$/.test(text)) return { values, findings: [] };
  const yaml = readYaml(text, file);
  if (!yaml.ok) return { values, findings: yaml.findings };
  const collector = createFindingCollector(file);
  readSection(yaml.root, "");
  return { values, findings: collector.findings() };

  function readSection(node: YamlNode, path: string): void {
    const prefix = path === "" ? "" : `${path}.`;
    const inside = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    const names = [...new Set(inside.map((key) => key.split(".", 1)[0]!))];
    const fields = readFields(node, names, { path, collector });
    for (const name of fields?.keys() ?? []) {
      const field = fields!.field(name)!;
      const key = prefix + name;
      if (keys.includes(key)) values.set(key, { value: yamlValue(field.node), at: field.at });
      // A section left empty, all its lines commented out, says nothing.
      else if (field.node.kind !== "scalar" || field.node.value !== null) readSection(field.node, key);
    }
  }
}
