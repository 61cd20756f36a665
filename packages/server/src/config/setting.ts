/** One configuration key: its schema, default, unit and reason, and how its text form in the environment is read. */
import { z } from "zod";

export interface SettingFacts<T> {
  /** In force when nobody says otherwise. Undefined: there is none, and the feature does without. */
  readonly default: T;
  /** One sentence: what it is. */
  readonly description: string;
  /** Why the default is what it is. */
  readonly why: string;
  readonly unit?: "bytes" | "ms" | "seconds" | "hours" | "days";
  /** Shown masked; may also be given as `*_FILE`. */
  readonly secret?: boolean;
  /** False for what must be known before the file can be found. */
  readonly inFile?: boolean;
}

export interface Setting<T> extends SettingFacts<T> {
  readonly kind: "setting";
  readonly schema: z.ZodType<T>;
  /** What a value looks like, for messages and the reference. */
  readonly form: string;
  /** The value that a text from the environment or a flag stands for; the schema judges it. */
  readonly fromText: (text: string) => unknown;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export function integer(facts: SettingFacts<number> & Range): Setting<number> {
  const { min, max } = facts;
  const schema = z.number().int().min(min).max(max);
  const fromText = (text: string): unknown => (/^-?\d+$/.test(text) ? Number(text) : text);
  return { ...facts, kind: "setting", schema, form: `a whole number from ${min} to ${max}`, fromText };
}

export function text(facts: SettingFacts<string>): Setting<string> {
  return { ...facts, kind: "setting", schema: z.string().min(1), form: "a text", fromText: (given) => given };
}

export function optionalText(
  facts: SettingFacts<undefined> & { readonly pattern?: RegExp; readonly form?: string },
): Setting<string | undefined> {
  const { pattern = /^[^]/, form = "a text" } = facts;
  const schema = z.string().regex(pattern).optional();
  return { ...facts, kind: "setting", schema, form, fromText: (given) => given };
}

export function choice<const T extends string>(
  facts: SettingFacts<T> & { readonly of: readonly T[] },
): Setting<T> {
  const schema = z.enum(facts.of) as unknown as z.ZodType<T>;
  return { ...facts, kind: "setting", schema, form: facts.of.join(" or "), fromText: (given) => given };
}

/** In the environment the items are parted by commas. */
export function texts(
  facts: SettingFacts<readonly string[]> & { readonly item: RegExp; readonly form: string },
): Setting<readonly string[]> {
  return {
    ...facts,
    kind: "setting",
    schema: z.array(z.string().regex(facts.item)).readonly(),
    form: `a list of ${facts.form}`,
    fromText: (given) =>
      given
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== ""),
  };
}

/** A map from names to values; JSON in the environment. */
export function record<T>(
  facts: SettingFacts<Readonly<Record<string, T>>> & {
    readonly name: RegExp;
    readonly value: z.ZodType<T>;
    readonly form: string;
  },
): Setting<Readonly<Record<string, T>>> {
  return {
    ...facts,
    kind: "setting",
    schema: z.record(z.string().regex(facts.name), facts.value),
    fromText: (given) => {
      try {
        return JSON.parse(given);
      } catch {
        // The schema refuses the text and says what was expected.
        return given;
      }
    },
  };
}
