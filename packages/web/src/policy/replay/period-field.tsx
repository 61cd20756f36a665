/** How far back recorded actions are looked at. */
import type { ReactElement } from "react";

/** As the API takes them: durations before now. */
const periods = [
  { value: "1h", label: "the last hour" },
  { value: "24h", label: "the last day" },
  { value: "7d", label: "the last 7 days" },
  { value: "30d", label: "the last 30 days" },
  { value: "90d", label: "the last 90 days" },
  { value: "1970-01-01T00:00:00Z", label: "everything" },
] as const;

interface Props {
  readonly value: string;
  readonly onChange: (since: string) => void;
}

export function PeriodField({ value, onChange }: Props): ReactElement {
  return (
    <select
      className="input dry-choice"
      aria-label="Period"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {periods.map((period) => (
        <option key={period.value} value={period.value}>
          {period.label}
        </option>
      ))}
    </select>
  );
}
