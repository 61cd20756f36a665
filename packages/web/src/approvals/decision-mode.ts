/** What somebody is about to do with a question. */
import type { Approval } from "../api/contract.ts";
import type { MayAnswer } from "./may-answer.ts";

/** `confirm`: the key for approving was pressed once on a risky question. `approve`: do it now. */
export type DecisionMode = "idle" | "confirm" | "approve" | "reject" | "edit" | "remember" | "hand-on";

type Question = Pick<Approval, "kind" | "quorum" | "mayRemember">;

/** Why a mode is not open for a question; null when it is. */
export function closedBecause(mode: DecisionMode, question: Question, may: MayAnswer): string | null {
  switch (mode) {
    case "idle":
      return null;
    case "reject":
      return may.kind === "may-not" ? may.why : null;
    case "confirm":
    case "approve":
      return may.kind === "may" ? null : may.why;
    case "edit":
      if (question.kind !== "action") return "Only an action has arguments to edit.";
      if (question.quorum > 1)
        return "Others have to agree to the same arguments: reject it and say what should change.";
      return may.kind === "may" ? null : may.why;
    case "remember":
      if (question.kind !== "action") return "Only actions can be approved for another time.";
      if (!question.mayRemember)
        return "Policy asks each time: it says so, or wants several people or four eyes.";
      return may.kind === "may" ? null : may.why;
    case "hand-on":
      return may.kind === "may-not" ? may.why : null;
  }
}
