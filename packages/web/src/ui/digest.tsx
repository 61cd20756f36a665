/** A digest or id: short to look at, whole on hover and to copy. */
import type { ReactElement } from "react";
import { shortDigest } from "../format/quantity.ts";
import { CopyButton } from "./copy-button.tsx";
import "./digest.css";

interface Props {
  readonly value: string;
  readonly what: string;
  readonly length?: number;
  readonly withCopy?: boolean;
}

export function Digest({ value, what, length = 10, withCopy = true }: Props): ReactElement {
  return (
    <span className="digest">
      <code title={value}>{shortDigest(value, length)}</code>
      {withCopy && <CopyButton text={value} what={what} />}
    </span>
  );
}

/** A whole digest in groups of eight, for comparing by eye. */
export function LongDigest({ value, what }: { readonly value: string; readonly what: string }): ReactElement {
  const groups = value.match(/.{1,8}/g) ?? [];
  return (
    <span className="digest-long">
      <code>
        {groups.map((group, index) => (
          <span key={index}>{group}</span>
        ))}
      </code>
      <CopyButton text={value} what={what} />
    </span>
  );
}
