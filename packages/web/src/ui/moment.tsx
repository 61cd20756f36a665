/** A moment as people say it, with the exact time on hover and for machines. */
import type { ReactElement } from "react";
import type { Time } from "../api/contract.ts";
import { formatAgo, formatExact, formatSecond, millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";

export function Ago({ time }: { readonly time: Time | null }): ReactElement {
  const now = useNow(10_000);
  const ms = millisOf(time);
  if (ms === null || time === null) return <span className="quiet">–</span>;
  return (
    <time dateTime={time} title={formatExact(ms)} className="nowrap">
      {formatAgo(ms, now)}
    </time>
  );
}

export function Exact({ time }: { readonly time: Time | null }): ReactElement {
  const ms = millisOf(time);
  if (ms === null || time === null) return <span className="quiet">–</span>;
  return (
    <time dateTime={time} title={formatExact(ms)}>
      {formatSecond(ms)}
    </time>
  );
}
