/** For an action whose end was not recorded: a person looks and says what is true. */
import { useId, useState, type ReactElement } from "react";
import type { Approval, ApprovalAnswer, JsonValue } from "../api/contract.ts";
import { Button } from "../ui/button.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { useDecide } from "./use-decide.ts";

const choices: readonly {
  readonly answer: ApprovalAnswer;
  readonly label: string;
  readonly meaning: string;
}[] = [
  {
    answer: "happened",
    label: "It happened",
    meaning: "It took effect. The step counts as done and the run goes on.",
  },
  {
    answer: "did-not-happen",
    label: "It did not happen",
    meaning: "It took no effect. The step is tried again.",
  },
  {
    answer: "abandon",
    label: "Abandon",
    meaning: "Nobody can tell, or it no longer matters. The step fails.",
  },
];

export function OutcomeForm({ approval }: { readonly approval: Approval }): ReactElement {
  const [reason, setReason] = useState("");
  const [result, setResult] = useState("");
  const id = useId();
  const { mutate, isPending, error } = useDecide(approval);
  const parsed = parseResult(result);
  const answer = (given: ApprovalAnswer): void => {
    mutate({
      answer: given,
      ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
      ...(given === "happened" && parsed.kind === "value" ? { result: parsed.value } : {}),
    });
  };
  return (
    <div className="outcome">
      <p className="small">
        This action was begun, and then the runtime stopped before it learned the end. Homeostat does not
        guess and does not repeat it by itself. Look at{" "}
        {approval.resource === null ? "what it would have changed" : <code>{approval.resource}</code>} and say
        what is true.
      </p>
      <Choices isBusy={isPending} mayHaveHappened={parsed.kind !== "broken"} onAnswer={answer} />
      <div className="outcome-fields">
        <div className="field">
          <label htmlFor={`${id}-reason`}>How do you know? (optional)</label>
          <input
            id={`${id}-reason`}
            className="input"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-result`}>Its output as JSON, if it happened (optional)</label>
          <input
            id={`${id}-result`}
            className="input"
            data-kind="mono"
            placeholder='{"deleted": true}'
            value={result}
            aria-invalid={parsed.kind === "broken"}
            onChange={(event) => setResult(event.target.value)}
          />
          {parsed.kind === "broken" && <p className="field-error">This is not JSON.</p>}
        </div>
      </div>
      {error !== null && <ProblemNotice error={error} />}
    </div>
  );
}

interface ChoicesProps {
  readonly isBusy: boolean;
  /** False while the given output is no JSON. */
  readonly mayHaveHappened: boolean;
  readonly onAnswer: (answer: ApprovalAnswer) => void;
}

function Choices({ isBusy, mayHaveHappened, onAnswer }: ChoicesProps): ReactElement {
  return (
    <ul className="outcome-choices">
      {choices.map((choice) => (
        <li key={choice.answer}>
          <Button
            busy={isBusy}
            disabled={choice.answer === "happened" && !mayHaveHappened}
            onClick={() => onAnswer(choice.answer)}
            {...(choice.answer === "abandon" ? { look: "danger" as const } : {})}
          >
            {choice.label}
          </Button>
          <p className="quiet small">{choice.meaning}</p>
        </li>
      ))}
    </ul>
  );
}

type Parsed = { readonly kind: "none" | "broken" } | { readonly kind: "value"; readonly value: JsonValue };

function parseResult(text: string): Parsed {
  if (text.trim() === "") return { kind: "none" };
  try {
    return { kind: "value", value: JSON.parse(text) as JsonValue };
  } catch {
    // Said beside the field while typing.
    return { kind: "broken" };
  }
}
