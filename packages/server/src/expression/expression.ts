/** The shapes of a parsed expression and the bounds of the language; plain data, safe to keep and to send. */
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";

/** Raised whenever the same text could give another value; runs pin it. */
export const expressionVersion = 1;

/** Every bound of the language. Sizes are UTF-16 code units plus list elements; a step is one visited node or unit of work. */
export const expressionLimits: {
  readonly sourceLength: number;
  readonly templateLength: number;
  readonly depth: number;
  readonly steps: number;
  readonly size: number;
  readonly dataDepth: number;
  readonly rangeLength: number;
} = {
  /** One expression; longer logic belongs into a code step. */
  sourceLength: 8_192,
  /** A text with `${{ }}` in it: source code of a code step may be long. */
  templateLength: 262_144,
  /** Nesting of the parsed tree; evaluation recurses as deep. */
  depth: 100,
  /** 5 to 200 ms on a 2 GHz core, by what the steps are. */
  steps: 1_000_000,
  /** What one evaluation may build: 4 Mi units, about 8 MB of text. */
  size: 4_194_304,
  /** Nesting of values that are compared, sorted out or written as JSON. */
  dataDepth: 64,
  rangeLength: 10_000,
};

export type UnaryOperator = "!" | "-";
export type LogicalOperator = "&&" | "||" | "??";
export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "==" | "!=" | "<" | "<=" | ">" | ">=";

/** `at` is the 0-based offset in the source. */
export type Expression =
  | { readonly kind: "literal"; readonly at: number; readonly value: JsonValue }
  | { readonly kind: "name"; readonly at: number; readonly name: string }
  | {
      readonly kind: "member";
      readonly at: number;
      readonly object: Expression;
      readonly key: string;
      /** `?.`: null instead of an error when the object is null. */
      readonly optional: boolean;
    }
  | {
      readonly kind: "index";
      readonly at: number;
      readonly object: Expression;
      readonly index: Expression;
      readonly optional: boolean;
    }
  | {
      readonly kind: "unary";
      readonly at: number;
      readonly operator: UnaryOperator;
      readonly operand: Expression;
    }
  | {
      readonly kind: "binary";
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "logical";
      readonly at: number;
      readonly operator: LogicalOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "conditional";
      readonly at: number;
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Expression[] }
  | {
      readonly kind: "object";
      readonly at: number;
      readonly entries: readonly { readonly key: string; readonly value: Expression }[];
    }
  | {
      readonly kind: "call";
      readonly at: number;
      readonly name: string;
      readonly args: readonly Argument[];
    };

/** `x => expr`; only as an argument of filter, map, any, all and sortBy. */
export interface Lambda {
  readonly kind: "lambda";
  readonly at: number;
  readonly parameter: string;
  readonly body: Expression;
}

export type Argument = Expression | Lambda;

/** Names an expression may use. Only own properties are seen; undefined reads as null. */
export type Scope = Readonly<Record<string, JsonValue | undefined>>;

/** Member names that are refused everywhere, so that no prototype is reachable whatever a later change does. */
export const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** An EXPRESSION_INVALID at a 0-based offset; `data.column` is 1-based within the expression or template. */
export function expressionError(at: number, message: string, hint?: string): HomeostatError {
  const place = { column: at + 1 };
  return new HomeostatError(
    "EXPRESSION_INVALID",
    `${message} (column ${at + 1})`,
    { column: at + 1, problem: message },
    hint === undefined ? { place } : { place, hint },
  );
}
