/** The two routes behind a link in mail or chat: look at the question, and answer it once. The link is the credential. */
import { z } from "zod";
import { requireLink } from "../../approvals/links.ts";
import { HomeostatError } from "../../base/error.ts";
import { requireApproval } from "../../gate/approvals.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import { answerApproval, requireReason } from "./answer-approval.ts";
import type { AnswerDeps } from "./answer-approval.ts";
import { approvalSchema } from "../views/api-schemas.ts";
import { viewApproval } from "../views/views.ts";
import type { Redact } from "../views/views.ts";

const token = z.string().min(1).max(128);

export interface ApprovalLinksRoutesDeps extends AnswerDeps {
  readonly redact: Redact;
}

export function approvalLinksRoutes(deps: ApprovalLinksRoutesDeps): readonly Route[] {
  const common = { method: "POST", tags: ["approvals"], access: "public" } as const;
  return [
    route({
      ...common,
      path: "/v1/approval-links/open",
      operationId: "approvalLinks.open",
      summary: "The question behind a link; decides nothing and does not use the link up",
      body: z.strictObject({ token }),
      response: z.object({ principal: z.string(), approval: approvalSchema }),
      async handle({ body }) {
        const link = await requireLink(deps, body.token);
        const approval = await requireApproval(deps.store, link.approvalId, link.tenant);
        return { principal: link.principal, approval: viewApproval(approval, deps.redact) };
      },
    }),
    route({
      ...common,
      path: "/v1/approval-links/answer",
      operationId: "approvalLinks.answer",
      summary: "Answer the question behind a link, as the person it was made for",
      body: z.strictObject({
        token,
        answer: z.enum(["approve", "reject"]),
        reason: z.string().min(1).max(1000).optional(),
      }),
      response: approvalSchema,
      async handle({ body: { token: given, answer, reason = null } }) {
        const link = await requireLink(deps, given);
        requireReason({ id: link.approvalId, answer, reason });
        const role = await deps.currentRole(link.tenant, link.principal);
        if (role === "none")
          throw new HomeostatError(
            "AUTHORIZATION_DENIED",
            `${link.principal} may not use this server any more`,
          );
        const caller = { id: link.principal, role, tenant: link.tenant };
        const request = { id: link.approvalId, answer, caller, reason, result: null, link: given };
        return viewApproval(await answerApproval(deps, request), deps.redact);
      },
    }),
  ];
}
