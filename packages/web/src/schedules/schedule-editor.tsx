/** The form that makes a schedule or changes one. */
import { useMutation, useQuery, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useId, useMemo, useState, type FormEvent, type ReactElement } from "react";
import { operationsApi, type Schedule } from "../api/operations-calls.ts";
import { operationKeys, scheduleQuery, workflowQuery, workflowsQuery } from "../api/operations-queries.ts";
import { nowMs } from "../live/now.ts";
import { readWorkflow } from "../new-task/read-workflow.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { FaultList } from "../ui/fault-list.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { RuleFields } from "./rule-fields.tsx";
import { fieldsOf, newFields, readFields, type ScheduleFields } from "./schedule-form.ts";
import { TimingFields } from "./timing-fields.tsx";
import { WorkflowFields } from "./workflow-fields.tsx";
import { viewerZone } from "./zone-time.ts";

export function NewSchedule(): ReactElement {
  const workflows = useQuery(workflowsQuery);
  if (workflows.isPending) return <Loading />;
  return <ScheduleForm isNew initial={newFields(viewerZone(), workflows.data?.[0]?.name)} />;
}

export function EditSchedule({ name }: { readonly name: string }): ReactElement {
  const schedule = useQuery(scheduleQuery(name));
  if (schedule.isPending) return <Loading />;
  if (schedule.isError)
    return <ProblemNotice error={schedule.error} onRetry={() => void schedule.refetch()} />;
  return <ScheduleForm isNew={false} initial={fieldsOf(schedule.data, viewerZone())} />;
}

interface FormProps {
  /** Taken once: what is typed is not overwritten by what others save meanwhile. */
  readonly initial: ScheduleFields;
  readonly isNew: boolean;
}

function ScheduleForm({ initial, isNew }: FormProps): ReactElement {
  const id = useId();
  const [fields, setFields] = useState(initial);
  const [wasSent, setWasSent] = useState(false);
  const text = useWorkflowText(fields);
  const sketch = useMemo(() => (text === undefined ? null : readWorkflow(text)), [text]);
  const { settings, faults, problems } = readFields(fields, sketch?.inputs ?? {}, nowMs());
  const change = (part: Partial<ScheduleFields>): void => setFields((before) => ({ ...before, ...part }));
  const save = useSave(isNew);
  const missing = [...faults, ...Object.entries(problems).map(([name, problem]) => `${name}: ${problem}`)];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setWasSent(true);
    if (missing.length === 0) save.mutate({ settings, fields });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      {isNew && (
        <div className="field schedule-name">
          <label htmlFor={id}>Name</label>
          <input
            id={id}
            className="input"
            data-kind="mono"
            placeholder="nightly-audit"
            value={fields.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        </div>
      )}
      <div className="schedule-detail">
        <TimingFields fields={fields} onChange={change} />
        <RuleFields fields={fields} onChange={change} isNew={isNew} />
      </div>
      <WorkflowFields
        fields={fields}
        onChange={change}
        definitions={sketch?.inputs ?? {}}
        isKnown={sketch !== null}
        problems={wasSent ? problems : {}}
      />
      {wasSent && <FaultList faults={missing} />}
      {save.isError && <ProblemNotice error={save.error} />}
      <div className="cluster">
        <Button type="submit" look="primary" size="large" busy={save.isPending}>
          {isNew ? "Make schedule" : "Save"}
        </Button>
        <Link
          className="button"
          data-size="large"
          to="/schedules"
          search={isNew ? {} : { name: fields.name }}
        >
          Leave it
        </Link>
      </div>
    </form>
  );
}

interface Saved {
  readonly settings: ReturnType<typeof readFields>["settings"];
  readonly fields: ScheduleFields;
}

/** Makes it or changes it, and leads to its page. */
function useSave(isNew: boolean): UseMutationResult<Schedule, Error, Saved> {
  const client = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ settings, fields: { name, isPaused } }: Saved) =>
      isNew
        ? operationsApi.addSchedule({ ...settings, name, paused: isPaused })
        : operationsApi.changeSchedule(name, settings),
    onSuccess: async ({ name }) => {
      await client.invalidateQueries({ queryKey: operationKeys.schedules });
      announce(isNew ? `${name} is scheduled` : `${name} is changed`);
      await navigate({ to: "/schedules", search: { name } });
    },
  });
}

/** Undefined while it is not known. */
function useWorkflowText({ source, workflowName, workflowText }: ScheduleFields): string | undefined {
  const registered = useQuery({
    ...workflowQuery(workflowName),
    enabled: source === "registered" && workflowName !== "",
  });
  if (source === "registered") return registered.data?.workflowText;
  return workflowText.trim() === "" ? undefined : workflowText;
}
