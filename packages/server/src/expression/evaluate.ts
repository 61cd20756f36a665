/** Evaluates a parsed expression: pure, bounded in steps and size, own members of plain data only. */
import type { JsonValue } from "../base/canonical-json.ts";
import { HomeostatError } from "../base/error.ts";
import { suggestName } from "../base/nearest.ts";
import { BudgetSpent, createBudget, grow, spend } from "./budget.ts";
import type { Budget } from "./budget.ts";
import { expressionError, forbiddenKeys } from "./expression.ts";
import type { Argument, BinaryOperator, Expression, Lambda, Scope } from "./expression.ts";
import { findFunction } from "./functions.ts";
import { areEqual, chargeSize, isList, isObject, isTrue, memberOf, toText, typeName } from "./values.ts";

/**
 * The value of `expression` with the names of `scope`. The same tree and scope give the same value always.
 * Throws EXPRESSION_INVALID (with `data.column`) and nothing else; ends within the bounds of `expressionLimits`.
 */
export function evaluate(expression: Expression, scope: Scope): JsonValue {
  const frame: Frame = { scope, local: undefined, budget: createBudget() };
  try {
    const value = visit(expression, frame);
    chargeSize(value, frame.budget);
    return value;
  } catch (error) {
    if (error instanceof HomeostatError) throw error;
    if (error instanceof BudgetSpent)
      throw expressionError(expression.at, `the expression is too costly: ${error.message}`);
    // Nothing is known to come here but a full stack below a deep caller; it must not look like a fault of the server.
    throw expressionError(expression.at, "the expression could not be evaluated");
  }
}

interface Frame {
  readonly scope: Scope;
  /** Parameters of the lambdas around, innermost first. */
  readonly local: Local | undefined;
  readonly budget: Budget;
}

interface Local {
  readonly name: string;
  readonly value: JsonValue;
  readonly outer: Local | undefined;
}

function visit(expression: Expression, frame: Frame): JsonValue {
  spend(frame.budget, 1);
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "name":
      return readName(expression, frame);
    case "member":
      return readMember(expression, visit(expression.object, frame));
    case "index":
      return readIndex(expression, visit(expression.object, frame), frame);
    case "unary":
      return unary(expression, visit(expression.operand, frame));
    case "binary":
      return binary(expression, visit(expression.left, frame), visit(expression.right, frame), frame.budget);
    case "logical":
      return logical(expression, frame);
    case "conditional":
      return visit(isTrue(visit(expression.test, frame)) ? expression.yes : expression.no, frame);
    case "list":
      grow(frame.budget, expression.items.length);
      return expression.items.map((item) => visit(item, frame));
    case "object":
      return buildObject(expression, frame);
    case "call":
      return call(expression, frame);
  }
}

function readName(expression: Expression & { kind: "name" }, { scope, local }: Frame): JsonValue {
  const { name } = expression;
  for (let next = local; next !== undefined; next = next.outer) {
    if (next.name === name) return next.value;
  }
  if (Object.hasOwn(scope, name)) return scope[name] ?? null;
  throw expressionError(
    expression.at,
    `unknown name \`${name.slice(0, 64)}\``,
    suggestName(name, Object.keys(scope)),
  );
}

function readMember(expression: Expression & { kind: "member" }, object: JsonValue): JsonValue {
  const { key } = expression;
  if (object === null && expression.optional) return null;
  if (isObject(object) && !forbiddenKeys.has(key)) return memberOf(object, key);
  throw noMember(expression, key, object);
}

function readIndex(expression: Expression & { kind: "index" }, object: JsonValue, frame: Frame): JsonValue {
  if (object === null && expression.optional) return null;
  const index = visit(expression.index, frame);
  if (isList(object) && typeof index === "number") {
    return Number.isSafeInteger(index) ? (object.at(index) ?? null) : null;
  }
  if (isObject(object) && typeof index === "string" && !forbiddenKeys.has(index))
    return memberOf(object, index);
  throw noMember(expression, index, object);
}

function noMember(expression: Expression, key: JsonValue, object: JsonValue): Error {
  const shown =
    typeof key === "string" || typeof key === "number" ? JSON.stringify(key).slice(0, 80) : typeName(key);
  const problem = `cannot read member ${shown} of ${typeName(object)}`;
  if (object === null)
    return expressionError(
      expression.at,
      problem,
      "write `?.` if it may be absent, and `?? value` for a default",
    );
  if (key === "length") return expressionError(expression.at, problem, "write length(value)");
  return expressionError(expression.at, problem);
}

function unary(expression: Expression & { kind: "unary" }, operand: JsonValue): JsonValue {
  if (expression.operator === "!") return !isTrue(operand);
  if (typeof operand === "number") return 0 - operand;
  throw expressionError(expression.at, `\`-\` wants a number, got ${typeName(operand)}`);
}

function logical(expression: Expression & { kind: "logical" }, frame: Frame): JsonValue {
  const left = visit(expression.left, frame);
  switch (expression.operator) {
    case "&&":
      return isTrue(left) ? visit(expression.right, frame) : left;
    case "||":
      return isTrue(left) ? left : visit(expression.right, frame);
    case "??":
      return left === null ? visit(expression.right, frame) : left;
  }
}

function binary(
  expression: Expression & { kind: "binary" },
  left: JsonValue,
  right: JsonValue,
  budget: Budget,
): JsonValue {
  const { operator } = expression;
  if (operator === "==") return areEqual(left, right, budget);
  if (operator === "!=") return !areEqual(left, right, budget);
  if (typeof left === "number" && typeof right === "number") return arithmetic(expression, left, right);
  if (typeof left === "string" && typeof right === "string" && isOrdering(operator)) {
    return compare(operator, left < right, left === right);
  }
  if (operator === "+" && (typeof left === "string" || typeof right === "string")) {
    const before = toText(left, budget);
    const after = toText(right, budget);
    if (before !== undefined && after !== undefined) {
      grow(budget, before.length + after.length);
      return before + after;
    }
  }
  const problem = `\`${operator}\` does not work on ${typeName(left)} and ${typeName(right)}`;
  const hint = operator === "+" ? "it adds numbers and joins texts" : undefined;
  throw expressionError(expression.at, problem, hint);
}

function arithmetic(expression: Expression & { kind: "binary" }, left: number, right: number): JsonValue {
  const { operator } = expression;
  if (isOrdering(operator)) return compare(operator, left < right, left === right);
  if ((operator === "/" || operator === "%") && right === 0)
    throw expressionError(expression.at, "division by zero");
  const result = compute(operator, left, right);
  if (!Number.isFinite(result)) throw expressionError(expression.at, "the result is too large for a number");
  // Minus zero would be written as 0 and read back as another value.
  return result + 0;
}

function compute(operator: BinaryOperator, left: number, right: number): number {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "*") return left * right;
  return operator === "/" ? left / right : left % right;
}

type Ordering = "<" | "<=" | ">" | ">=";

function isOrdering(operator: BinaryOperator): operator is Ordering {
  return operator === "<" || operator === "<=" || operator === ">" || operator === ">=";
}

function compare(operator: Ordering, isLess: boolean, isSame: boolean): boolean {
  if (operator === "<") return isLess;
  if (operator === "<=") return isLess || isSame;
  return operator === ">" ? !isLess && !isSame : !isLess;
}

function buildObject(expression: Expression & { kind: "object" }, frame: Frame): JsonValue {
  const object: Record<string, JsonValue> = {};
  for (const { key, value } of expression.entries) {
    grow(frame.budget, 1 + key.length);
    object[key] = visit(value, frame);
  }
  return object;
}

function call(expression: Expression & { kind: "call" }, frame: Frame): JsonValue {
  const { name, at } = expression;
  // The parser knows no other functions, and gives those that need one their lambda.
  const found = findFunction(name)!;
  const args = expression.args.map((given) => (given.kind === "lambda" ? null : visit(given, frame)));
  const lambda = expression.args.find(isLambda);
  return found.run({
    name,
    at,
    usage: found.usage,
    args,
    budget: frame.budget,
    each: (item) => applyLambda(lambda!, item, frame),
  });
}

function isLambda(given: Argument): given is Lambda {
  return given.kind === "lambda";
}

function applyLambda(lambda: Lambda, item: JsonValue, frame: Frame): JsonValue {
  spend(frame.budget, 1);
  const local: Local = { name: lambda.parameter, value: item, outer: frame.local };
  return visit(lambda.body, { ...frame, local });
}
