/** What everything stands on: database, ledger, Redis, backups and retention, each with what it says of itself. */
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { SystemStatus } from "../api/contract.ts";
import type { SupervisionTree } from "../api/operations-calls.ts";
import { formatCount } from "../format/quantity.ts";
import { Ago } from "../ui/moment.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import type { StateLook } from "../ui/state.ts";
import { flattenTree, nodeLook } from "./tree-looks.ts";

const notThere: StateLook = { label: "Not configured", tone: "idle", glyph: "dotted" };

export function StoresPanel({ status }: { readonly status: SystemStatus }): ReactElement {
  const parts = flattenTree(status.tree);
  const find = (name: string): SupervisionTree | undefined => parts.find((part) => part.name === name);
  const { ledger } = status;
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Stores and upkeep</h2>
      </header>
      <ul className="parts">
        <Store name="Database" part={find("store")}>
          Truth about every run
        </Store>
        <Store name="Ledger" part={find("ledger")}>
          <Link to="/ledger" search={{}}>
            {formatCount(ledger.size, "entry", "entries")}
          </Link>
          {ledger.pending > 0 && `, ${ledger.pending} on their way`}; signed{" "}
          <Ago time={ledger.lastCheckpointAt} />
        </Store>
        <Store name="Redis" part={find("redis")}>
          {find("redis") === undefined
            ? "Not configured: the database wakes workers, and rates count in each process"
            : "Wakes workers and holds common rates"}
        </Store>
        <Store name="Backups" part={find("backups")}>
          {find("backups") === undefined ? (
            <>
              None by itself: set <code>backup.folder</code>, or run <code>homeostat backup FOLDER</code>
            </>
          ) : (
            "Made by one server of all"
          )}
        </Store>
        <Store name="Retention" part={find("retention")}>
          Lets go of what is old
        </Store>
      </ul>
    </section>
  );
}

interface StoreProps {
  readonly name: string;
  readonly part: SupervisionTree | undefined;
  /** Said when the part says nothing of itself. */
  readonly children: ReactNode;
}

function Store({ name, part, children }: StoreProps): ReactElement {
  const look = part === undefined ? notThere : nodeLook(part);
  const isTold = part !== undefined && part.health.detail !== undefined && name !== "Ledger";
  return (
    <li>
      <StateGlyph look={look} label={look.label} />
      <span>{name}</span>
      <span className="quiet small">{isTold ? part.health.detail : children}</span>
    </li>
  );
}
