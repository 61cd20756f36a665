/** A shell command to copy; teaches the command line beside what the page does. */
import type { ReactElement } from "react";
import { CopyButton } from "./copy-button.tsx";
import "./command-line.css";

export function CommandLine({ command }: { readonly command: string }): ReactElement {
  return (
    <div className="command-line">
      <span aria-hidden="true">$</span>
      <code>{command}</code>
      <CopyButton text={command} what="command" />
    </div>
  );
}
