/** How many have agreed of those who must, and who they are. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { approvalDetailQuery } from "../api/inbox-calls.ts";
import { Icon } from "../ui/icon.tsx";
import { Ago } from "../ui/moment.tsx";

export function Quorum({ approval }: { readonly approval: Approval }): ReactElement | null {
  const { id, quorum, votes } = approval;
  const detail = useQuery({ ...approvalDetailQuery(id, votes), enabled: quorum > 1 && votes > 0 });
  if (quorum <= 1) return null;
  return (
    <div className="quorum">
      <p>
        <span className="quorum-dots" aria-hidden="true">
          {Array.from({ length: Math.min(quorum, 12) }, (_, index) => (
            <i key={index} data-full={index < votes} />
          ))}
        </span>
        <strong>
          {votes} of {quorum}
        </strong>{" "}
        have agreed; one no ends it.
      </p>
      {detail.data !== undefined && detail.data.voters.length > 0 && (
        <ul>
          {detail.data.voters.map((vote) => (
            <li key={vote.by}>
              <Icon name="person" size={13} />
              <span>
                <strong>{vote.by}</strong>
                {vote.countsFor !== vote.by && <> for {vote.countsFor}</>}, <Ago time={vote.at} />
                {vote.reason !== null && <>: “{vote.reason}”</>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
