/** Narrows the list of runs by workflow, label and the run they were made from; what is set can be taken away one by one. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { workflowsQuery } from "../api/workflow-calls.ts";
import { shortId } from "../format/quantity.ts";
import { Icon } from "../ui/icon.tsx";

const route = getRouteApi("/");
const kinds = ["workflow", "label", "parent"] as const;
type Kind = (typeof kinds)[number];

const labels: Readonly<Record<Kind, string>> = {
  workflow: "Workflow",
  label: "Label",
  parent: "Made from the run",
};

export function RunFilters(): ReactElement {
  const search = route.useSearch();
  return (
    <>
      {kinds.map((kind) => {
        const value = search[kind];
        if (value === undefined) return null;
        const { [kind]: _gone, ...rest } = search;
        return (
          <Link key={kind} className="chip" data-tone="accent" to="/" search={rest}>
            {kind === "workflow" ? "" : `${labels[kind].toLowerCase()} `}
            {kind === "parent" ? shortId(value) : value}
            <Icon name="cross" size={11} />
            <span className="visually-hidden">Take this filter away</span>
          </Link>
        );
      })}
      <AddFilter />
    </>
  );
}

function AddFilter(): ReactElement {
  const [kind, setKind] = useState<Kind>("workflow");
  const [text, setText] = useState("");
  const navigate = route.useNavigate();
  const workflows = useQuery(workflowsQuery).data ?? [];
  const id = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const value = text.trim();
    if (value === "") return;
    setText("");
    void navigate({ search: (search) => ({ ...search, [kind]: value }) });
  };
  return (
    <form className="runs-filter" onSubmit={submit} aria-label="Filter the runs">
      <label htmlFor={`${id}-kind`} className="visually-hidden">
        Filter by
      </label>
      <select
        id={`${id}-kind`}
        className="input"
        value={kind}
        onChange={(event) => setKind(event.target.value as Kind)}
      >
        {kinds.map((each) => (
          <option key={each} value={each}>
            {labels[each]}
          </option>
        ))}
      </select>
      <label htmlFor={id} className="visually-hidden">
        {labels[kind]}
      </label>
      <input
        id={id}
        className="input"
        placeholder={kind === "parent" ? "run_…" : "its exact name"}
        value={text}
        list={kind === "workflow" ? `${id}-names` : undefined}
        onChange={(event) => setText(event.target.value)}
      />
      <datalist id={`${id}-names`}>
        {workflows.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </form>
  );
}
