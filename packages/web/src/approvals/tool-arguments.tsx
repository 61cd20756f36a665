/** What a tool takes, from its JSON schema: shown beside fields in which arguments are written by hand. */
import type { ReactElement } from "react";
import { Icon } from "../ui/icon.tsx";
import { membersOf } from "./check-arguments.ts";
import "./tool-arguments.css";

interface Props {
  readonly tool: string;
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  /** Open from the beginning, where nobody can know it otherwise. */
  readonly isOpen: boolean;
}

export function ToolArguments({ tool, schema, isOpen }: Props): ReactElement | null {
  const members = membersOf(schema);
  if (members.length === 0) return null;
  return (
    <details className="tool-takes" open={isOpen}>
      <summary>
        <Icon name="right" size={12} />
        What {tool} takes
      </summary>
      <ul>
        {members.map(({ name, type, isNeeded, text }) => (
          <li className="small" key={name}>
            <code>{name}</code>{" "}
            <span className="quiet">
              {[type, isNeeded ? "needed" : ""].filter((word) => word !== "").join(", ")}
              {text !== "" && `. ${text}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
