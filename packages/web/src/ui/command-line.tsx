/** A shell command to copy; teaches the command line beside what the page does. */
import type { ReactElement } from "react";
import { CopyButton } from "./copy-button.tsx";
import "./command-line.css";

/** One that begins with `homeostat` is shown so that it runs in a clone as well as where the package is installed. */
export function CommandLine({ command }: { readonly command: string }): ReactElement {
  const line = command.startsWith("homeostat ") ? `npx ${command}` : command;
  return (
    <div className="command-line">
      <span aria-hidden="true">$</span>
      <code>{line}</code>
      <CopyButton text={line} what="command" />
    </div>
  );
}
