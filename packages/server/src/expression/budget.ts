/** What one evaluation may still spend, so that every expression ends soon and builds little. */
import { expressionLimits } from "./expression.ts";

export interface Budget {
  steps: number;
  size: number;
}

export function createBudget(): Budget {
  return { steps: expressionLimits.steps, size: expressionLimits.size };
}

/** Thrown without a place; `evaluate` turns it into EXPRESSION_INVALID at the node it happened in. */
export class BudgetSpent extends Error {}

/** One step is about 50 ns of work: a visited node, or 64 characters read. */
export function spend(budget: Budget, steps: number): void {
  budget.steps -= steps;
  if (budget.steps < 0) {
    throw new BudgetSpent(`it takes more than ${expressionLimits.steps} steps`);
  }
}

/** Counts what is built: characters and list elements. */
export function grow(budget: Budget, units: number): void {
  budget.size -= units;
  if (budget.size < 0) {
    throw new BudgetSpent(`its result is larger than ${expressionLimits.size} characters and elements`);
  }
}

/** Steps for reading `units` characters natively. */
export function readingSteps(units: number): number {
  return 1 + (units >> 6);
}

/** Steps for searching `units` characters: the worst pattern costs some comparisons for each. */
export function searchingSteps(units: number): number {
  return 1 + (units >> 4);
}
