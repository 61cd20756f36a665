/** The two routes behind a link in mail or chat: look at the question, and answer it once, as the one it was made for. */
import { z } from "zod";
import { requireLink } from "../../approvals/links.ts";
import type { ApprovalLink, LinkCredential } from "../../approvals/links.ts";
import { HomeostatError } from "../../base/error.ts";
import { requireApproval } from "../../gate/approvals.ts";
import type { Principal } from "../../http/access.ts";
import { route } from "../../http/route.ts";
import type { Route } from "../../http/route.ts";
import type { Caller } from "../control/control.ts";
import { answerApproval, requireReason } from "./answer-approval.ts";
import type { AnswerDeps } from "./answer-approval.ts";
import { approvalSchema } from "../views/api-schemas.ts";
import { viewApproval } from "../views/views.ts";
import type { Redact } from "../views/views.ts";

const token = z.string().min(1).max(128);

export interface ApprovalLinksRoutesDeps extends AnswerDeps {
  readonly redact: Redact;
  readonly links: LinkCredential;
}

export function approvalLinksRoutes(deps: ApprovalLinksRoutesDeps): readonly Route[] {
  const common = { method: "POST", tags: ["approvals"] } as const;
  const isEnough = deps.links === "token";
  return [
    route({
      ...common,
      access: isEnough ? "public" : "viewer",
      path: "/v1/approval-links/open",
      operationId: "approvalLinks.open",
      summary: "The question behind a link; decides nothing and does not use the link up",
      description: whoMay,
      body: z.strictObject({ token }),
      response: z.object({ principal: z.string(), approval: approvalSchema }),
      async handle({ body, principal }) {
        const link = await requireLink(deps, body.token);
        if (!isEnough) requireAddressee(link, principal);
        const approval = await requireApproval(deps.store, link.approvalId, link.tenant);
        return { principal: link.principal, approval: viewApproval(approval, deps.redact) };
      },
    }),
    route({
      ...common,
      access: isEnough ? "public" : "operator",
      path: "/v1/approval-links/answer",
      operationId: "approvalLinks.answer",
      summary: "Answer the question behind a link, as the person it was made for",
      description: whoMay,
      body: z.strictObject({
        token,
        answer: z.enum(["approve", "reject"]),
        reason: z.string().min(1).max(1000).optional(),
      }),
      response: approvalSchema,
      async handle({ body: { token: given, answer, reason = null }, principal }) {
        const link = await requireLink(deps, given);
        requireReason({ id: link.approvalId, answer, reason });
        if (!isEnough) requireAddressee(link, principal);
        const caller = isEnough ? await holderOf(deps, link) : principal;
        const request = { id: link.approvalId, answer, caller, reason, result: null, link: given };
        return viewApproval(await answerApproval(deps, request), deps.redact);
      },
    }),
  ];
}

const whoMay =
  "With the setting `approvals.links: session` the person it was made for must be signed in, or send their key; with `token` the link alone is enough.";

/** The link is the credential: who holds it speaks for its addressee, in the role that one has now. */
async function holderOf(deps: AnswerDeps, { tenant, principal: id }: ApprovalLink): Promise<Caller> {
  const { role } = await deps.holderOf(tenant, id);
  return { id, role, tenant };
}

/** A link that was sent on leads nobody else to the question: they may have other rights, or none. */
function requireAddressee(link: ApprovalLink, { id, tenant }: Principal): void {
  if (tenant !== link.tenant)
    throw new HomeostatError(
      "AUTHORIZATION_DENIED",
      `This link is for somebody of another tenant than ${tenant}`,
    );
  if (id === link.principal) return;
  throw new HomeostatError(
    "AUTHORIZATION_DENIED",
    `This link is for ${link.principal}, and you are ${id}`,
    { for: link.principal },
    { hint: "What waits for you is in your own inbox: open the dashboard's approvals page." },
  );
}
