/** The calls of the approvals inbox: votes, handing on, links, remembered answers, delegations. */
import type { Answer } from "@homeostat/client";
import type { ApprovalDetail, Delegation, Operations, StandingApproval } from "@homeostat/client/api";
import { queryOptions } from "@tanstack/react-query";
import { client } from "./calls.ts";

export type { ApprovalDetail, Delegation, StandingApproval };
export type Remember = NonNullable<Operations["approvals.decide"]["body"]["remember"]>;
export type ApprovalLink = Answer<"approvals.createLink">;
export type LinkedQuestion = Answer<"approvalLinks.open">;
export type ToolFacts = Answer<"tools.list">["data"][number];

/** Each rejects with an ApiError. */
export const inboxApi = {
  detail: (id: string, signal?: AbortSignal): Promise<ApprovalDetail> =>
    client.call("approvals.get", { params: { id }, signal }),
  handOn: (id: string, to: string) => client.call("approvals.delegate", { params: { id }, body: { to } }),
  createLink: (id: string, body: { readonly for: string; readonly expires: string }): Promise<ApprovalLink> =>
    client.call("approvals.createLink", { params: { id }, body }),

  forget: (id: string): Promise<undefined> => client.call("standingApprovals.revoke", { params: { id } }),
  delegate: (to: string, until: string): Promise<Delegation> =>
    client.call("delegations.create", { body: { to, until } }),
  endDelegation: (id: string): Promise<undefined> => client.call("delegations.revoke", { params: { id } }),

  openLink: (token: string): Promise<LinkedQuestion> =>
    client.call("approvalLinks.open", { body: { token } }),
  answerLink: (token: string, answer: "approve" | "reject", reason: string) =>
    client.call("approvalLinks.answer", {
      body: { token, answer, ...(reason === "" ? {} : { reason }) },
    }),
};

/** With who has agreed so far. */
export function approvalDetailQuery(id: string, votes: number) {
  return queryOptions({
    queryKey: ["approval", id, votes],
    queryFn: ({ signal }) => inboxApi.detail(id, signal),
  });
}

export const rememberedQuery = queryOptions({
  queryKey: ["standing-approvals"],
  queryFn: async ({ signal }) => (await client.call("standingApprovals.list", { signal })).data,
  refetchInterval: 30_000,
});

export const delegationsQuery = queryOptions({
  queryKey: ["delegations"],
  queryFn: async ({ signal }) => (await client.call("delegations.list", { signal })).data,
  refetchInterval: 30_000,
});

/** The tools with the schema of their arguments. */
export const toolsQuery = queryOptions({
  queryKey: ["tools"],
  queryFn: async ({ signal }) => (await client.call("tools.list", { signal })).data,
  staleTime: 60_000,
});
