/** When it runs: a cron expression with its zone or an interval, read aloud and with the next times as one types. */
import { useId, type ReactElement } from "react";
import { useNow } from "../live/now.ts";
import { describeCron } from "./cron-text.ts";
import { previewTimes, type ScheduleFields } from "./schedule-form.ts";
import { TimeTable } from "./time-table.tsx";
import { knownZones } from "./zone-time.ts";

interface Props {
  readonly fields: ScheduleFields;
  readonly onChange: (part: Partial<ScheduleFields>) => void;
}

const suggestions: readonly { readonly label: string; readonly cron: string }[] = [
  { label: "Every day", cron: "0 9 * * *" },
  { label: "Weekdays", cron: "0 9 * * 1-5" },
  { label: "Every hour", cron: "0 * * * *" },
  { label: "Every 15 min", cron: "*/15 * * * *" },
  { label: "Every month", cron: "0 6 1 * *" },
];

export function TimingFields({ fields, onChange }: Props): ReactElement {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={`${id}-head`}>
      <header className="panel-head">
        <h2 id={`${id}-head`}>When</h2>
        <div className="cluster">
          {(["cron", "every"] as const).map((timing) => (
            <label className="check" key={timing}>
              <input
                type="radio"
                name={`${id}-timing`}
                checked={fields.timing === timing}
                onChange={() => onChange({ timing })}
              />
              {timing === "cron" ? "At times" : "At an interval"}
            </label>
          ))}
        </div>
      </header>
      <div className="panel-body stack">
        {fields.timing === "cron" ? (
          <CronFields fields={fields} onChange={onChange} />
        ) : (
          <div className="field">
            <label htmlFor={`${id}-every`}>Every</label>
            <input
              id={`${id}-every`}
              className="input"
              data-kind="mono"
              value={fields.every}
              aria-describedby={`${id}-every-hint`}
              onChange={(event) => onChange({ every: event.target.value })}
            />
            <span className="field-hint" id={`${id}-every-hint`}>
              A duration such as 30s, 15m, 1h30m or 7d, counted from the moment it is saved.
            </span>
          </div>
        )}
        <Preview fields={fields} />
      </div>
    </section>
  );
}

function CronFields({ fields, onChange }: Props): ReactElement {
  const id = useId();
  return (
    <>
      <div className="cluster">
        {suggestions.map(({ label, cron }) => (
          <button
            type="button"
            className="button"
            data-look="plain"
            key={cron}
            aria-pressed={fields.cron === cron}
            onClick={() => onChange({ cron })}
          >
            {label}
          </button>
        ))}
      </div>
      <div className="timing-pair">
        <div className="field">
          <label htmlFor={`${id}-cron`}>Cron expression</label>
          <input
            id={`${id}-cron`}
            className="input"
            data-kind="mono"
            spellCheck={false}
            value={fields.cron}
            aria-describedby={`${id}-cron-hint`}
            onChange={(event) => onChange({ cron: event.target.value })}
          />
          <span className="field-hint" id={`${id}-cron-hint`}>
            minute, hour, day of month, month, weekday; or a name such as @daily
          </span>
        </div>
        <div className="field">
          <label htmlFor={`${id}-zone`}>Time zone</label>
          <input
            id={`${id}-zone`}
            className="input"
            list={`${id}-zones`}
            spellCheck={false}
            value={fields.timezone}
            onChange={(event) => onChange({ timezone: event.target.value })}
          />
          <datalist id={`${id}-zones`}>
            {knownZones().map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </div>
      </div>
    </>
  );
}

function Preview({ fields }: { readonly fields: ScheduleFields }): ReactElement {
  const now = useNow(10_000);
  const preview = previewTimes(fields, now, 5);
  const reading = fields.timing === "cron" ? describeCron(fields.cron) : `Every ${fields.every}`;
  if (preview.kind === "fault") {
    return (
      <p className="field-error" role="status">
        {preview.text}
      </p>
    );
  }
  return (
    <div className="stack timing-preview">
      <p role="status">
        <strong>{reading ?? "A pattern of its own"}</strong>
        {fields.timing === "cron" && <span className="quiet"> in {fields.timezone}</span>}
      </p>
      <TimeTable times={preview.times} timezone={fields.timing === "cron" ? fields.timezone : null} />
    </div>
  );
}
