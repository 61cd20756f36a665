/** One waiting question in the list: its risk, what it asks, where it stands, how many agreed and how long it stands. */
import type { ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { riskLook } from "../ui/state.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Expiry } from "./expiry.tsx";

interface Props {
  readonly approval: Approval;
  readonly isSelected: boolean;
  readonly onChoose: () => void;
}

export function InboxRow({ approval, isSelected, onChoose }: Props): ReactElement {
  const look = riskLook(approval.risk);
  const path = [...approval.runPath.map(({ workflow }) => workflow), approval.workflow, approval.step];
  return (
    <li data-id={approval.id}>
      <button
        type="button"
        className="inbox-row"
        aria-current={isSelected ? "true" : undefined}
        onClick={onChoose}
      >
        <StateGlyph look={look} size={16} label={look.label} />
        <span className="inbox-what">
          <span className="inbox-summary">{approval.summary}</span>
          <span className="inbox-where">{path.join(" › ")}</span>
          <span className="inbox-marks">
            <Expiry approval={approval} />
            {approval.quorum > 1 && (
              <span>
                {approval.votes} of {approval.quorum} agreed
              </span>
            )}
            {approval.fourEyes && <span>four eyes</span>}
          </span>
        </span>
      </button>
    </li>
  );
}
