/** Parses expression text into a tree; every mistake is EXPRESSION_INVALID with a column and a way out. */
import { suggestName } from "../base/nearest.ts";
import { expressionError, expressionLimits, forbiddenKeys } from "./expression.ts";
import type {
  Argument,
  BinaryOperator,
  Expression,
  Lambda,
  LogicalOperator,
  UnaryOperator,
} from "./expression.ts";
import { functionNames, functionSignature } from "./functions.ts";
import type { FunctionSignature } from "./call.ts";
import { nextToken } from "./tokenize.ts";
import type { Token } from "./tokenize.ts";

export interface ParsedExpression {
  readonly expression: Expression;
  /** Offset of the first token behind the expression. */
  readonly end: number;
}

/** Parses the whole of `source`. Linear in its length. Throws EXPRESSION_INVALID. */
export function parseExpression(source: string): Expression {
  const cursor = createCursor(source, 0);
  const expression = parseConditional(cursor);
  const rest = cursor.token;
  if (rest.kind !== "end")
    throw expressionError(rest.at, `unexpected ${describe(rest)} after the expression`);
  return expression;
}

/** Parses the expression that begins at `offset` and stops where it ends; for templates. Throws EXPRESSION_INVALID. */
export function parseExpressionAt(source: string, offset: number): ParsedExpression {
  const cursor = createCursor(source, offset);
  const expression = parseConditional(cursor);
  return { expression, end: cursor.token.at };
}

type SymbolToken = Token & { readonly kind: "symbol" };
type NameToken = Token & { readonly kind: "name" };

/** Weakest first. */
const operatorLevels: readonly (readonly string[])[] = [
  ["??"],
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];
const literalNames: ReadonlyMap<string, null | boolean> = new Map([
  ["null", null],
  ["true", true],
  ["false", false],
]);

interface Cursor {
  readonly source: string;
  readonly offset: number;
  token: Token;
  /** Depth of the recursion; `depths` bounds the tree, whose left-leaning chains do not recurse here. */
  nesting: number;
  readonly depths: WeakMap<object, number>;
}

function createCursor(source: string, offset: number): Cursor {
  return { source, offset, token: nextToken(source, offset), nesting: 0, depths: new WeakMap() };
}

function advance(cursor: Cursor): Token {
  const taken = cursor.token;
  if (taken.end - cursor.offset > expressionLimits.sourceLength) {
    const limit = expressionLimits.sourceLength;
    throw expressionError(cursor.offset, `the expression is longer than ${limit} characters`);
  }
  cursor.token = nextToken(cursor.source, taken.end);
  return taken;
}

function takeSymbol(cursor: Cursor, ...values: readonly string[]): SymbolToken | undefined {
  const { token } = cursor;
  if (token.kind !== "symbol" || !values.includes(token.value)) return undefined;
  advance(cursor);
  return token;
}

function expectSymbol(cursor: Cursor, value: string, why: string): void {
  if (takeSymbol(cursor, value) !== undefined) return;
  throw expressionError(cursor.token.at, `expected \`${value}\` ${why}, found ${describe(cursor.token)}`);
}

function takeName(cursor: Cursor, wanted: string): NameToken {
  const { token } = cursor;
  if (token.kind !== "name") {
    throw expressionError(token.at, `expected ${wanted}, found ${describe(token)}`);
  }
  advance(cursor);
  return token;
}

/** Registers a node's depth. */
function node<T extends Argument>(cursor: Cursor, made: T, ...children: readonly Argument[]): T {
  let depth = 0;
  for (const child of children) depth = Math.max(depth, cursor.depths.get(child)!);
  if (depth >= expressionLimits.depth) throw tooDeep(made.at);
  cursor.depths.set(made, depth + 1);
  return made;
}

function nested<T>(cursor: Cursor, parse: (cursor: Cursor) => T): T {
  cursor.nesting++;
  if (cursor.nesting > expressionLimits.depth) throw tooDeep(cursor.token.at);
  const parsed = parse(cursor);
  cursor.nesting--;
  return parsed;
}

function parseConditional(cursor: Cursor): Expression {
  return nested(cursor, () => {
    const test = parseLevel(cursor, 0);
    const question = takeSymbol(cursor, "?");
    if (question === undefined) return test;
    const yes = parseConditional(cursor);
    expectSymbol(cursor, ":", "between the two answers of `?`");
    const no = parseConditional(cursor);
    return node(cursor, { kind: "conditional", at: question.at, test, yes, no }, test, yes, no);
  });
}

function parseLevel(cursor: Cursor, level: number): Expression {
  const operators = operatorLevels[level];
  if (operators === undefined) return parseUnary(cursor);
  let left = parseLevel(cursor, level + 1);
  for (;;) {
    const symbol = takeSymbol(cursor, ...operators);
    if (symbol === undefined) return left;
    const right = parseLevel(cursor, level + 1);
    const { at, value } = symbol;
    left = isLogical(value)
      ? node(cursor, { kind: "logical", at, operator: value, left, right }, left, right)
      : node(cursor, { kind: "binary", at, operator: value as BinaryOperator, left, right }, left, right);
  }
}

function isLogical(operator: string): operator is LogicalOperator {
  return operator === "??" || operator === "||" || operator === "&&";
}

function parseUnary(cursor: Cursor): Expression {
  const symbol = takeSymbol(cursor, "!", "-");
  if (symbol === undefined) return parsePostfix(cursor);
  const operand = nested(cursor, parseUnary);
  return node(
    cursor,
    { kind: "unary", at: symbol.at, operator: symbol.value as UnaryOperator, operand },
    operand,
  );
}

function parsePostfix(cursor: Cursor): Expression {
  let object = parsePrimary(cursor);
  for (;;) {
    const symbol = takeSymbol(cursor, ".", "?.", "[");
    if (symbol === undefined) return object;
    const optional = symbol.value === "?.";
    if (symbol.value === "[" || (optional && takeSymbol(cursor, "[") !== undefined)) {
      const index = parseConditional(cursor);
      expectSymbol(cursor, "]", "behind the index");
      object = node(cursor, { kind: "index", at: symbol.at, object, index, optional }, object, index);
    } else {
      const key = takeName(cursor, "a member name behind the dot");
      requireAllowedKey(key);
      object = node(cursor, { kind: "member", at: key.at, object, key: key.value, optional }, object);
    }
  }
}

function parsePrimary(cursor: Cursor): Expression {
  const start = cursor.token;
  if (start.kind === "number" || start.kind === "string") {
    advance(cursor);
    return node(cursor, { kind: "literal", at: start.at, value: requireWellFormed(start.value, start.at) });
  }
  if (start.kind === "name") return parseNameOrCall(cursor);
  if (takeSymbol(cursor, "(") !== undefined) {
    const inner = parseConditional(cursor);
    expectSymbol(cursor, ")", "to close `(`");
    return inner;
  }
  if (takeSymbol(cursor, "[") !== undefined) {
    const items = parseSequence(cursor, "]", "to close the list", () => parseConditional(cursor));
    return node(cursor, { kind: "list", at: start.at, items }, ...items);
  }
  if (takeSymbol(cursor, "{") !== undefined) {
    const entries = parseSequence(cursor, "}", "to close the object", () => parseEntry(cursor));
    return node(cursor, { kind: "object", at: start.at, entries }, ...entries.map((entry) => entry.value));
  }
  throw expressionError(start.at, `expected a value, found ${describe(start)}`);
}

function parseNameOrCall(cursor: Cursor): Expression {
  const name = takeName(cursor, "a name");
  const literal = literalNames.get(name.value);
  if (literal !== undefined) return node(cursor, { kind: "literal", at: name.at, value: literal });
  if (takeSymbol(cursor, "(") !== undefined) return parseCall(cursor, name);
  if (cursor.token.kind === "symbol" && cursor.token.value === "=>") {
    throw expressionError(cursor.token.at, "`=>` is allowed only inside filter, map, any, all and sortBy");
  }
  return node(cursor, { kind: "name", at: name.at, name: name.value });
}

function parseCall(cursor: Cursor, name: NameToken): Expression {
  const signature = functionSignature(name.value);
  if (signature === undefined) {
    const hint = suggestName(name.value, functionNames);
    throw expressionError(name.at, `there is no function \`${name.value.slice(0, 64)}\``, hint);
  }
  let position = 0;
  const args = parseSequence(cursor, ")", `to close \`${name.value}(\``, () =>
    signature.lambdaAt === position++ ? parseLambda(cursor, signature) : parseConditional(cursor),
  );
  if (args.length < signature.least || args.length > signature.most) {
    throw expressionError(
      name.at,
      `${name.value} takes ${arity(signature)}, not ${args.length}`,
      signature.usage,
    );
  }
  return node(cursor, { kind: "call", at: name.at, name: name.value, args }, ...args);
}

function parseLambda(cursor: Cursor, { usage }: FunctionSignature): Lambda {
  const parameter = cursor.token;
  if (parameter.kind !== "name" || literalNames.has(parameter.value)) {
    throw expressionError(parameter.at, `expected \`x => ...\` here, found ${describe(parameter)}`, usage);
  }
  advance(cursor);
  const arrow = takeSymbol(cursor, "=>");
  if (arrow === undefined) {
    const found = describe(cursor.token);
    throw expressionError(
      cursor.token.at,
      `expected \`${parameter.value} => ...\` here, found ${found}`,
      usage,
    );
  }
  const body = parseConditional(cursor);
  return node(cursor, { kind: "lambda", at: arrow.at, parameter: parameter.value, body }, body);
}

function parseEntry(cursor: Cursor): { readonly key: string; readonly value: Expression } {
  const key = cursor.token;
  if (key.kind !== "name" && key.kind !== "string") {
    throw expressionError(key.at, `expected a member name, found ${describe(key)}`);
  }
  advance(cursor);
  requireAllowedKey(key);
  requireWellFormed(key.value, key.at);
  expectSymbol(cursor, ":", `behind the member name \`${key.value}\``);
  return { key: key.value, value: parseConditional(cursor) };
}

function parseSequence<T>(cursor: Cursor, close: string, why: string, parseItem: () => T): readonly T[] {
  const items: T[] = [];
  while (takeSymbol(cursor, close) === undefined) {
    if (items.length > 0) {
      if (takeSymbol(cursor, ",") === undefined) {
        const found = describe(cursor.token);
        throw expressionError(cursor.token.at, `expected \`,\` or \`${close}\` ${why}, found ${found}`);
      }
      if (takeSymbol(cursor, close) !== undefined) break;
    }
    items.push(parseItem());
  }
  return items;
}

function tooDeep(at: number): Error {
  return expressionError(
    at,
    `the expression is nested deeper than ${expressionLimits.depth} levels`,
    "compute parts of it in a `set` step",
  );
}

function arity(signature: FunctionSignature): string {
  const { least, most } = signature;
  if (least === most) return least === 1 ? "1 argument" : `${least} arguments`;
  return `${least} to ${most} arguments`;
}

function requireAllowedKey(key: { readonly at: number; readonly value: string }): void {
  if (forbiddenKeys.has(key.value))
    throw expressionError(key.at, `the member \`${key.value}\` cannot be used`);
}

/** A lone surrogate could not be written to the journal (RFC 8785 refuses it). */
function requireWellFormed<T extends string | number>(value: T, at: number): T {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw expressionError(at, "the string holds half of a surrogate pair");
  }
  return value;
}

function describe(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end";
    case "number":
      return `the number ${token.value}`;
    case "string":
      return `the string ${JSON.stringify(token.value.slice(0, 40))}`;
    case "name":
    case "symbol":
      return `\`${token.value.slice(0, 40)}\``;
  }
}
