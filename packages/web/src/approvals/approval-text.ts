/** Words for approvals: what kind of question it is, how it ended. */
import type { Approval, ApprovalStatus } from "../api/contract.ts";
import type { StateLook } from "../ui/state.ts";

export const kindTexts: Readonly<Record<Approval["kind"], string>> = {
  action: "May this be done?",
  step: "A question of the workflow",
  outcome: "Did this happen?",
};

export const statusLooks: Readonly<Record<ApprovalStatus, StateLook>> = {
  waiting: { label: "Waiting", tone: "waiting", glyph: "diamond" },
  approved: { label: "Approved", tone: "done", glyph: "check" },
  rejected: { label: "Rejected", tone: "failed", glyph: "octagon" },
  expired: { label: "Expired", tone: "idle", glyph: "dotted" },
  cancelled: { label: "Cancelled", tone: "idle", glyph: "slash" },
  resolved: { label: "Resolved", tone: "done", glyph: "check" },
};

/** After a vote that did not yet decide: `Your yes is in: 1 of 2. One more must agree.` */
export function voteText({ votes, quorum }: Pick<Approval, "votes" | "quorum">): string {
  const left = quorum - votes;
  return `Your yes is in: ${votes} of ${quorum}. ${left === 1 ? "One more" : `${left} more`} must agree.`;
}

/** For whoever comes second: `Already approved by anna`, `The question expired before it was answered`. */
export function answeredText(approval: Approval): string {
  const by = approval.decidedBy === null ? "" : ` by ${approval.decidedBy}`;
  switch (approval.status) {
    case "approved":
    case "rejected":
    case "resolved": {
      const answer =
        approval.answer === null || approval.status !== "resolved" ? "" : ` (${approval.answer})`;
      return `Already ${approval.status}${by}${answer}. The first answer counts.`;
    }
    case "expired":
      return "The question expired before this answer came.";
    case "cancelled":
      return "The run was cancelled, so the question no longer stands.";
    case "waiting":
      return "The answer was not taken; the question still waits.";
  }
}
