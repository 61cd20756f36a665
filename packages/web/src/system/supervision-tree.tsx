/** What runs below what, live: how each part is, since when, how often it was made anew and after which error. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { SupervisionTree as Tree } from "../api/operations-calls.ts";
import { formatDuration } from "../format/duration.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { StateBadge, StateGlyph } from "../ui/state-glyph.tsx";
import { flattenTree, mailboxText, nodeLook, strategyText } from "./tree-looks.ts";
import "./supervision-tree.css";

export function SupervisionTree({ tree }: { readonly tree: Tree }): ReactElement {
  const parts = flattenTree(tree).filter(({ kind }) => kind !== "run");
  const well = parts.filter((part) => nodeLook(part).tone === "done").length;
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>Supervision tree</h2>
        <span className="quiet small">
          {well} of {formatCount(parts.length, "part")} well
        </span>
      </header>
      <ul className="tree">
        <Node node={tree} depth={0} />
      </ul>
      <footer className="tree-foot">
        <CommandLine command="homeostat parts" />
      </footer>
    </section>
  );
}

function Node({ node, depth }: { readonly node: Tree; readonly depth: number }): ReactElement {
  const look = nodeLook(node);
  const notes = [node.health.detail, strategyText(node.strategy)].filter((note) => note != null);
  return (
    <li>
      <div className="tree-row" data-depth={Math.min(depth, 4)}>
        <StateGlyph look={look} label={look.label} />
        <NodeName node={node} />
        <span className="tree-notes quiet small">{notes.join("; ")}</span>
        <span className="tree-marks">
          {look.tone !== "done" && <StateBadge look={look} />}
          {node.restarts > 0 && (
            <span className="chip" data-tone="waiting">
              {formatCount(node.restarts, "restart")}
            </span>
          )}
          {node.uptimeMs !== null && (
            <span className="quiet small nowrap" title="Runs for">
              {formatDuration(node.uptimeMs)}
            </span>
          )}
        </span>
        {node.lastError !== null && <p className="tree-error small">Last error: {node.lastError}</p>}
        {node.mailbox !== null && <Mailbox mailbox={node.mailbox} />}
      </div>
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child) => (
            <Node key={child.name} node={child} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  );
}

function NodeName({ node }: { readonly node: Tree }): ReactElement {
  if (node.kind !== "run") return <span className="tree-name">{node.name}</span>;
  return (
    <Link className="tree-name" to="/runs/$runId" params={{ runId: node.name }} search={{}}>
      run <code>{shortId(node.name)}</code>
    </Link>
  );
}

function Mailbox({ mailbox }: { readonly mailbox: NonNullable<Tree["mailbox"]> }): ReactElement {
  return (
    <div className="tree-mailbox quiet small">
      {mailbox.length > 0 && (
        <meter
          min={0}
          max={mailbox.capacity}
          high={mailbox.capacity * 0.8}
          value={mailbox.length}
          aria-label="Mailbox"
        />
      )}
      {mailboxText(mailbox)}
    </div>
  );
}
