/** What a YAML file says, as plain nodes with positions. */
import type { Position } from "./finding.ts";

/** `at` is where the node begins. Only what JSON can hold gets this far; keys are strings and unique. */
export type YamlNode =
  | {
      readonly kind: "scalar";
      readonly at: Position;
      readonly value: string | number | boolean | null;
      /** Where the text itself begins, when it stands in the file letter for letter on one line. */
      readonly textAt?: Position;
    }
  | { readonly kind: "list"; readonly at: Position; readonly items: readonly YamlNode[] }
  | { readonly kind: "map"; readonly at: Position; readonly entries: readonly YamlEntry[] };

export interface YamlEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: YamlNode;
}
