/** Sends an answer. A second answer is no error to a person: it says who was first. */
import { useMutation, useQueryClient, type QueryClient, type UseMutationResult } from "@tanstack/react-query";
import { api } from "../api/calls.ts";
import type { Approval, ApprovalAnswer, Decision } from "../api/contract.ts";
import { problemOf } from "../api/problem.ts";
import { keys } from "../api/queries.ts";
import { applyApproval } from "../live/apply-run.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { answeredText, voteText } from "./approval-text.ts";

const done: Readonly<Record<ApprovalAnswer, string>> = {
  approve: "Approved",
  reject: "Rejected",
  happened: "Noted that it happened",
  "did-not-happen": "Noted that it did not happen",
  abandon: "Abandoned",
};

/** Ends well also when somebody else was first; every other fault is the mutation's error. */
export function useDecide(approval: Approval): UseMutationResult<Approval, Error, Decision> {
  const client = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: async (decision: Decision) => {
      try {
        const answered = await api.decide(approval.id, decision);
        if (answered.status === "waiting") announce(voteText(answered), { tone: "waiting" });
        else announce(`${done[decision.answer]}: ${approval.summary}`);
        return answered;
      } catch (error) {
        const problem = problemOf(error);
        if (problem.code !== "APPROVAL_CONFLICT") throw error;
        const first = await api.approval(approval.id);
        // It still waits: this person's own vote was in already, which the server says best.
        announce(first.status === "waiting" ? problem.detail : answeredText(first), { tone: "waiting" });
        return first;
      }
    },
    onSuccess: (answered) => takeAnswer(client, answered),
  });
}

/** Puts a changed question where it belongs in everything on screen. */
export function takeAnswer(client: QueryClient, answered: Approval): void {
  client.setQueryData<readonly Approval[]>(keys.waiting, (waiting) => applyApproval(waiting ?? [], answered));
  void client.invalidateQueries({ queryKey: keys.answered });
  void client.invalidateQueries({ queryKey: ["standing-approvals"] });
  void client.invalidateQueries({ queryKey: keys.run(answered.runId) });
}
