/** What becomes of missed times and of times that come while the run before goes on; lane and start. */
import { useId, type ReactElement, type ReactNode } from "react";
import type { ScheduleFields } from "./schedule-form.ts";
import { missedTexts, overlapTexts } from "./schedule-text.ts";

interface Props {
  readonly fields: ScheduleFields;
  readonly onChange: (part: Partial<ScheduleFields>) => void;
  readonly isNew: boolean;
}

export function RuleFields({ fields, onChange, isNew }: Props): ReactElement {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={`${id}-head`}>
      <header className="panel-head">
        <h2 id={`${id}-head`}>How</h2>
      </header>
      <div className="panel-body stack">
        <Choice
          label="Times that passed while no server ran"
          value={fields.missed}
          texts={missedTexts}
          onChange={(missed) => onChange({ missed })}
        >
          {fields.missed === "all" && (
            <label className="schedule-cap small">
              At most
              <input
                className="input"
                inputMode="numeric"
                value={fields.missedCap}
                onChange={(event) => onChange({ missedCap: event.target.value })}
              />
              times
            </label>
          )}
        </Choice>
        <Choice
          label="A time that comes while the run before goes on"
          value={fields.overlap}
          texts={overlapTexts}
          onChange={(overlap) => onChange({ overlap })}
        />
        <Choice
          label="Lane of its runs"
          value={fields.priority}
          texts={{ high: "High", normal: "Normal", low: "Low" }}
          onChange={(priority) => onChange({ priority })}
        />
        {isNew && (
          <label className="check">
            <input
              type="checkbox"
              checked={fields.isPaused}
              onChange={(event) => onChange({ isPaused: event.target.checked })}
            />
            Paused: do not begin yet
          </label>
        )}
      </div>
    </section>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly texts: Readonly<Record<Value, string>>;
  readonly onChange: (value: Value) => void;
  readonly children?: ReactNode;
}

function Choice<Value extends string>(props: ChoiceProps<Value>): ReactElement {
  const { label, value, texts, onChange, children } = props;
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="input"
        value={value}
        onChange={(event) => onChange(event.target.value as Value)}
      >
        {Object.entries<string>(texts).map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
      {children}
    </div>
  );
}
