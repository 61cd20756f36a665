/** Ctrl K: find a page or a recent run by typing. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import { shortId } from "../format/quantity.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { runLooks } from "../ui/state.ts";
import { pageEntries, viewEntries } from "./pages.ts";
import "./palette.css";

interface Entry {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly icon: IconName;
  readonly go: () => void;
}

export function Palette({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const wanted = text.trim().toLowerCase();
  const entries = useEntries().filter((entry) =>
    `${entry.label} ${entry.detail}`.toLowerCase().includes(wanted),
  );
  const choose = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    entry.go();
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((before) => (before + step + entries.length) % Math.max(1, entries.length));
    }
    if (event.key === "Enter") choose(entries[at]);
  };
  return (
    <Dialog title="Go to" onClose={onClose}>
      <input
        className="input"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={entries[at] === undefined ? undefined : `${listId}-${at}`}
        aria-label="Page or run"
        placeholder="A page, a workflow, a run id"
        value={text}
        data-autofocus
        onKeyDown={onKey}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
      />
      <Matches listId={listId} entries={entries} at={at} onChoose={choose} />
      {entries.length === 0 && <p className="quiet small">Nothing here has this name.</p>}
    </Dialog>
  );
}

interface MatchesProps {
  readonly listId: string;
  readonly entries: readonly Entry[];
  readonly at: number;
  readonly onChoose: (entry: Entry) => void;
}

function Matches({ listId, entries, at, onChoose }: MatchesProps): ReactElement {
  const active = useRef<HTMLLIElement>(null);
  useEffect(() => {
    active.current?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <ul className="palette" role="listbox" id={listId} aria-label="Matches">
      {entries.map((entry, index) => (
        <li
          key={entry.id}
          id={`${listId}-${index}`}
          role="option"
          ref={index === at ? active : null}
          aria-selected={index === at}
          onClick={() => onChoose(entry)}
        >
          <Icon name={entry.icon} />
          {entry.label}
          <span>{entry.detail}</span>
        </li>
      ))}
    </ul>
  );
}

function useEntries(): Entry[] {
  const navigate = useNavigate();
  const recent = useQuery({
    queryKey: ["palette-runs"],
    queryFn: async ({ signal }) => (await api.runs({ limit: 30 }, signal)).data,
  });
  const pages = pageEntries.map<Entry>((page) => ({
    id: page.to,
    label: page.label,
    detail: "page",
    icon: page.icon,
    go: () => void navigate({ to: page.to, search: {} }),
  }));
  const views = viewEntries.map<Entry>(({ to, search, label, icon }) => ({
    id: label,
    label,
    detail: "view",
    icon,
    go: () => void navigate({ to, search }),
  }));
  const runs = (recent.data ?? []).map<Entry>((run) => ({
    id: run.id,
    label: run.workflow.name,
    detail: `${runLooks[run.state].label.toLowerCase()} · ${shortId(run.id)}`,
    icon: "runs",
    go: () => void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: {} }),
  }));
  const create: Entry = {
    id: "new",
    label: "New task",
    detail: "page",
    icon: "plus",
    go: () => void navigate({ to: "/new", search: {} }),
  };
  return [create, ...pages, ...views, ...runs];
}
