/** What can be said about a task besides its inputs. Folded away: the defaults are right for most. */
import { useId, type ReactElement } from "react";
import type { TaskSubmission } from "../api/contract.ts";
import { Icon } from "../ui/icon.tsx";

export interface Options {
  readonly priority: "high" | "normal" | "low";
  /** As typed, separated by commas. */
  readonly labels: string;
  readonly maxAttempts: string;
}

export const defaultOptions: Options = { priority: "normal", labels: "", maxAttempts: "" };

/** Only what differs from the defaults. */
export function optionFields(options: Options): Pick<TaskSubmission, "priority" | "labels" | "maxAttempts"> {
  const labels = options.labels
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== "");
  const maxAttempts = Number(options.maxAttempts);
  return {
    ...(options.priority === "normal" ? {} : { priority: options.priority }),
    ...(labels.length === 0 ? {} : { labels }),
    ...(Number.isSafeInteger(maxAttempts) && maxAttempts > 0 ? { maxAttempts } : {}),
  };
}

interface Props {
  readonly options: Options;
  readonly onChange: (options: Options) => void;
}

export function TaskOptions({ options, onChange }: Props): ReactElement {
  const id = useId();
  return (
    <details className="options">
      <summary>
        <Icon name="right" size={12} />
        Priority, labels, tries
      </summary>
      <div className="options-fields">
        <div className="field">
          <label htmlFor={`${id}-priority`}>Priority</label>
          <select
            id={`${id}-priority`}
            className="input"
            value={options.priority}
            onChange={(event) =>
              onChange({ ...options, priority: event.target.value as Options["priority"] })
            }
          >
            <option value="high">High</option>
            <option value="normal">Normal</option>
            <option value="low">Low</option>
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-labels`}>Labels, with commas between</label>
          <input
            id={`${id}-labels`}
            className="input"
            value={options.labels}
            onChange={(event) => onChange({ ...options, labels: event.target.value })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-tries`}>Tries before it is a dead letter</label>
          <input
            id={`${id}-tries`}
            className="input"
            inputMode="numeric"
            placeholder="default"
            value={options.maxAttempts}
            onChange={(event) => onChange({ ...options, maxAttempts: event.target.value })}
          />
        </div>
      </div>
    </details>
  );
}
