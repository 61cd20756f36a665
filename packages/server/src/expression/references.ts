/** Finds which names of the outside an expression reads, so that mistakes are found before anything runs. */
import { suggestName } from "../base/nearest.ts";
import { expressionError } from "./expression.ts";
import type { Argument, Expression } from "./expression.ts";
import type { HomeostatError } from "../base/error.ts";

/** `steps.list.output[0].name` gives root `steps` and path `["list", "output"]`: the members known before evaluation. */
export interface Reference {
  readonly root: string;
  readonly path: readonly string[];
  /** True when a computed index or a list position follows the path. */
  readonly isOpen: boolean;
  /** 0-based offset of the root name. */
  readonly at: number;
}

/** All free names in reading order; parameters of lambdas are left out. */
export function findReferences(expression: Expression): readonly Reference[] {
  const found: Reference[] = [];
  collect(expression, new Set(), found);
  return found;
}

/** One EXPRESSION_INVALID for each root name that is not in `known`; an empty list is good. */
export function findUnknownNames(
  expression: Expression,
  known: ReadonlySet<string>,
): readonly HomeostatError[] {
  return findReferences(expression)
    .filter(({ root }) => !known.has(root))
    .map(({ root, at }) =>
      expressionError(at, `unknown name \`${root.slice(0, 64)}\``, suggestName(root, known)),
    );
}

function collect(expression: Argument, bound: ReadonlySet<string>, found: Reference[]): void {
  const reference = asReference(expression, bound);
  if (reference !== undefined) found.push(reference);
  if (expression.kind === "lambda") {
    collect(expression.body, new Set([...bound, expression.parameter]), found);
    return;
  }
  if (reference !== undefined && !reference.isOpen) return;
  for (const child of childrenOf(expression, reference !== undefined)) collect(child, bound, found);
}

/** Undefined when the expression is no chain of members that begins with a free name. */
function asReference(expression: Argument, bound: ReadonlySet<string>): Reference | undefined {
  const path: string[] = [];
  let isOpen = false;
  let next: Argument = expression;
  for (;;) {
    if (next.kind === "name") {
      return bound.has(next.name)
        ? undefined
        : { root: next.name, path: path.reverse(), isOpen, at: next.at };
    }
    if (next.kind === "member") {
      path.push(next.key);
    } else if (next.kind === "index") {
      const { index } = next;
      if (index.kind === "literal" && typeof index.value === "string") {
        path.push(index.value);
      } else {
        path.length = 0;
        isOpen = true;
      }
    } else {
      return undefined;
    }
    next = next.object;
  }
}

/** `isChain`: the names along the chain are told already, only its computed indexes remain. */
function childrenOf(expression: Expression, isChain: boolean): readonly Argument[] {
  switch (expression.kind) {
    case "literal":
    case "name":
      return [];
    case "member":
      return isChain ? indexesOf(expression) : [expression.object];
    case "index":
      return isChain ? indexesOf(expression) : [expression.object, expression.index];
    case "unary":
      return [expression.operand];
    case "binary":
    case "logical":
      return [expression.left, expression.right];
    case "conditional":
      return [expression.test, expression.yes, expression.no];
    case "list":
      return expression.items;
    case "object":
      return expression.entries.map((entry) => entry.value);
    case "call":
      return expression.args;
  }
}

function indexesOf(expression: Expression): readonly Expression[] {
  const indexes: Expression[] = [];
  let next = expression;
  while (next.kind === "member" || next.kind === "index") {
    if (next.kind === "index") indexes.unshift(next.index);
    next = next.object;
  }
  return indexes;
}
