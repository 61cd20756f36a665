/** Approves, and the same again is not asked: for whom, how like this one, and how long. */
import { useEffect, useId, useRef, useState, type ReactElement } from "react";
import type { Approval, Decision } from "../api/contract.ts";
import type { Remember } from "../api/inbox-calls.ts";
import { Button } from "../ui/button.tsx";
import { Choice } from "./choice.tsx";

interface Props {
  readonly approval: Approval;
  readonly isBusy: boolean;
  readonly onSend: (decision: Decision) => void;
  readonly onClose: () => void;
}

const durations: readonly (readonly [string, string])[] = [
  ["1h", "1 hour"],
  ["8h", "8 hours"],
  ["1d", "1 day"],
  ["7d", "7 days"],
  ["31d", "31 days, the longest"],
];

type Match = "exact" | "resource";

export function RememberForm({ approval, isBusy, onSend, onClose }: Props): ReactElement {
  const [scope, setScope] = useState<Remember["scope"]>("run");
  const [match, setMatch] = useState<Match>("exact");
  const [time, setTime] = useState("8h");
  const first = useRef<HTMLSelectElement>(null);
  const id = useId();
  useEffect(() => first.current?.focus(), []);
  return (
    <div
      className="decision-panel"
      role="group"
      aria-label="Approve and remember"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div className="decision-fields">
        <div className="field">
          <label htmlFor={`${id}-scope`}>Do not ask again in</label>
          <select
            id={`${id}-scope`}
            ref={first}
            className="input"
            value={scope}
            onChange={(event) => setScope(event.target.value as Remember["scope"])}
          >
            <option value="run">the rest of this run</option>
            <option value="workflow">runs of {approval.workflow}</option>
            <option value="tenant">all runs</option>
          </select>
        </div>
        <TimeField value={time} onChange={setTime} />
        <MatchField value={match} isHigh={approval.risk === "high"} onChange={setMatch} />
      </div>
      <p className="field-hint">
        It lifts this question and nothing more: what policy denies stays denied, and the journal names this
        answer with everything it let through. It can be forgotten at any time.
      </p>
      <div className="decision-actions">
        <Button onClick={onClose}>Ask me each time</Button>
        <Button
          look="primary"
          icon="check"
          busy={isBusy}
          onClick={() => onSend({ answer: "approve", remember: { scope, match, for: time } })}
        >
          Approve and remember
        </Button>
      </div>
    </div>
  );
}

interface TimeProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function TimeField({ value, onChange }: TimeProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>For</label>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        {durations.map(([time, label]) => (
          <option key={time} value={time}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface MatchProps {
  readonly value: Match;
  readonly isHigh: boolean;
  readonly onChange: (value: Match) => void;
}

function MatchField({ value, isHigh, onChange }: MatchProps): ReactElement {
  const name = useId();
  return (
    <fieldset className="field">
      <legend className="field-label">When it has</legend>
      <Choice name={name} isChosen={value === "exact"} onChoose={() => onChange("exact")}>
        the very same arguments
      </Choice>
      <Choice
        name={name}
        isChosen={value === "resource"}
        isDisabled={isHigh}
        onChoose={() => onChange("resource")}
      >
        the same resource, any arguments
      </Choice>
      {isHigh && <p className="field-hint">With other arguments an action of high risk is another action.</p>}
    </fieldset>
  );
}
