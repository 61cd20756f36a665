/** Begins a task: from an example or from a workflow of one's own. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { Page } from "../ui/page.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { ExampleTask } from "./example-task.tsx";
import { FileTask } from "./file-task.tsx";
import "./new-task-page.css";

const route = getRouteApi("/new");

export function NewTaskPage(): ReactElement {
  const { from } = route.useSearch();
  return (
    <Page
      title="New task"
      lead={
        <>
          A workflow, its inputs, and a look at the steps before anything happens.{" "}
          <Link to="/workflows" search={{}}>
            Registered workflows
          </Link>{" "}
          run from their own page.
        </>
      }
    >
      <Tabs label="Where the workflow comes from">
        <Link
          className="tab"
          to="/new"
          search={{}}
          activeOptions={{ exact: true }}
          aria-current={from ? undefined : "page"}
        >
          Examples
        </Link>
        <Link
          className="tab"
          to="/new"
          search={{ from: "file" }}
          activeOptions={{ exact: true }}
          aria-current={from ? "page" : undefined}
        >
          Own workflow
        </Link>
      </Tabs>
      {from === "file" ? <FileTask /> : <ExampleTask />}
    </Page>
  );
}
