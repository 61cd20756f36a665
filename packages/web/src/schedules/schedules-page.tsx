/** Workflows that run by themselves: the list, one schedule with its history, and the form that makes and changes them. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { NewSchedule, EditSchedule } from "./schedule-editor.tsx";
import { ScheduleDetail } from "./schedule-detail.tsx";
import { ScheduleList } from "./schedule-list.tsx";
import "./schedules-page.css";

const route = getRouteApi("/schedules");

export function SchedulesPage(): ReactElement {
  const { name, view } = route.useSearch();
  const back = (
    <Link className="small" to="/schedules" search={{}}>
      Schedules
    </Link>
  );
  if (view === "new") {
    return (
      <Page title="New schedule" above={back}>
        <NewSchedule />
      </Page>
    );
  }
  if (name !== undefined) {
    return (
      <Page title={view === "edit" ? `Change ${name}` : name} above={back}>
        {view === "edit" ? <EditSchedule name={name} /> : <ScheduleDetail name={name} />}
      </Page>
    );
  }
  return (
    <Page
      title="Schedules"
      lead="Workflows that run by themselves."
      actions={
        <Link className="button" data-look="primary" to="/schedules" search={{ view: "new" }}>
          <Icon name="plus" size={14} />
          New schedule
        </Link>
      }
    >
      <ScheduleList />
    </Page>
  );
}
