/** Chooses a run: from the newest of the same workflow, or by its id. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { runListQuery, runQuery } from "../api/queries.ts";
import type { RunSummary } from "../api/contract.ts";
import { shortId } from "../format/quantity.ts";
import { formatSecond, millisOf } from "../format/time.ts";
import { Button } from "../ui/button.tsx";
import { runLooks } from "../ui/state.ts";

interface Props {
  readonly label: "A" | "B";
  readonly value: string | undefined;
  /** Runs of the same workflow as this one stand first. */
  readonly near?: string | undefined;
  readonly onChange: (id: string) => void;
}

export function RunPicker({ label, value, near, onChange }: Props): ReactElement {
  const id = useId();
  const [typed, setTyped] = useState("");
  const reference = useQuery({ ...runQuery(near ?? value ?? ""), enabled: (near ?? value) !== undefined });
  const own = useQuery({ ...runQuery(value ?? ""), enabled: value !== undefined });
  const workflow = reference.data?.workflow.name ?? "";
  const list = useInfiniteQuery(runListQuery({ states: [], workflow }));
  const runs = (list.data?.pages.flatMap((page) => page.data) ?? []).filter((run) => run.id !== near);
  const isListed = value === undefined || runs.some((run) => run.id === value);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed.trim() !== "") onChange(typed.trim());
  };
  return (
    <form className="panel panel-body compare-picker" onSubmit={submit} aria-label={`Run ${label}`}>
      <div className="field">
        <label htmlFor={`${id}-list`}>Run {label}</label>
        <select
          id={`${id}-list`}
          className="input"
          value={value ?? ""}
          onChange={(event) => event.target.value !== "" && onChange(event.target.value)}
        >
          <option value="">Choose</option>
          {!isListed && (
            <option value={value}>{own.data === undefined ? value : optionText(own.data)}</option>
          )}
          {runs.map((run) => (
            <option key={run.id} value={run.id}>
              {optionText(run)}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id}-id`}>or by its id</label>
        <input
          id={`${id}-id`}
          className="input"
          data-kind="mono"
          placeholder="run_…"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      <Button type="submit" disabled={typed.trim() === ""}>
        Choose
      </Button>
    </form>
  );
}

function optionText(run: RunSummary): string {
  const atMs = millisOf(run.createdAt);
  const at = atMs === null ? "" : formatSecond(atMs);
  return `${run.workflow.name} ${shortId(run.id)}, ${runLooks[run.state].label}, ${at}`;
}
