/** A sentence of the server as people read it: what stands between backticks in it is shown as code. */
import { Fragment, type ReactElement } from "react";
import { proseParts } from "./prose-parts.ts";

export function Prose({ text }: { readonly text: string }): ReactElement {
  return (
    <>
      {proseParts(text).map(({ text: part, isCode }, index) =>
        isCode ? <code key={index}>{part}</code> : <Fragment key={index}>{part}</Fragment>,
      )}
    </>
  );
}
