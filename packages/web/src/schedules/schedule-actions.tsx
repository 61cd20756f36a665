/** What can be done to a schedule: run it now, let it rest or go on, change it, delete it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { operationsApi, type Schedule } from "../api/operations-calls.ts";
import { operationKeys } from "../api/operations-queries.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";

export function ScheduleActions({ schedule }: { readonly schedule: Schedule }): ReactElement {
  const [isRemoving, setRemoving] = useState(false);
  const client = useQueryClient();
  const announce = useAnnounce();
  const refresh = (): void => void client.invalidateQueries({ queryKey: operationKeys.schedules });
  const switchTo = useMutation({
    mutationFn: (paused: boolean) => operationsApi.pauseSchedule(schedule.name, paused),
    onSuccess: (after) => {
      refresh();
      announce(after.paused ? `${after.name} is paused` : `${after.name} goes on`);
    },
  });
  const trigger = useMutation({
    mutationFn: () => operationsApi.triggerSchedule(schedule.name),
    onSuccess: () => {
      refresh();
      announce(`${schedule.name} runs now`);
    },
  });
  const error = switchTo.error ?? trigger.error;
  const isOfFile = schedule.source === "trigger";
  return (
    <div className="schedule-actions">
      <Button icon="play" busy={trigger.isPending} onClick={() => trigger.mutate()}>
        Run now<span className="visually-hidden">: {schedule.name}</span>
      </Button>
      <Button
        icon={schedule.paused ? "play" : "pause"}
        busy={switchTo.isPending}
        onClick={() => switchTo.mutate(!schedule.paused)}
      >
        {schedule.paused ? "Resume" : "Pause"}
        <span className="visually-hidden"> {schedule.name}</span>
      </Button>
      {!isOfFile && (
        <>
          <Link className="button" to="/schedules" search={{ name: schedule.name, view: "edit" }}>
            Change<span className="visually-hidden"> {schedule.name}</span>
          </Link>
          <Button look="danger" icon="bin" onClick={() => setRemoving(true)}>
            Delete<span className="visually-hidden"> {schedule.name}</span>
          </Button>
        </>
      )}
      {error !== null && <ProblemNotice error={error} />}
      {isRemoving && <RemoveSchedule schedule={schedule} onClose={() => setRemoving(false)} />}
    </div>
  );
}

interface RemoveProps {
  readonly schedule: Schedule;
  readonly onClose: () => void;
}

function RemoveSchedule({ schedule, onClose }: RemoveProps): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => operationsApi.removeSchedule(schedule.name),
    onSuccess: async () => {
      announce(`Deleted ${schedule.name}`);
      onClose();
      await navigate({ to: "/schedules", search: {} });
      await client.invalidateQueries({ queryKey: operationKeys.schedules });
    },
  });
  return (
    <ConfirmDialog
      title={`Delete ${schedule.name}?`}
      action="Delete schedule"
      name={schedule.name}
      error={remove.error}
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      <p>It runs no more. Its runs stay, with their journals and artifacts.</p>
    </ConfirmDialog>
  );
}
