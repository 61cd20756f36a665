/** The dial in the rail: its needle stands upright as long as nothing needs a person. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { statusQuery, waitingQuery } from "../api/queries.ts";
import { useStreamState } from "../live/live-updates.tsx";
import { readBalance } from "./balance.ts";
import "./balance-dial.css";

const needleDegrees = 58;

export function BalanceDial(): ReactElement {
  const status = useQuery(statusQuery);
  const waiting = useQuery(waitingQuery);
  const stream = useStreamState();
  const balance = readBalance(status.data, waiting.data?.length ?? 0, stream);
  return (
    <Link
      className="balance"
      data-tone={balance.tone}
      to={balance.to}
      search={balance.state === undefined ? {} : { state: balance.state }}
    >
      <svg width="52" height="32" viewBox="0 0 52 32" fill="none" strokeLinecap="round" aria-hidden="true">
        <path className="balance-arc" d="M5.7 24A21 21 0 0 1 46.3 24" />
        <path className="balance-zone" d="M21.3 8.5A21 21 0 0 1 30.7 8.5" />
        <g
          className="balance-needle"
          style={{ transform: `rotate(${balance.deviation * needleDegrees}deg)` }}
        >
          <path d="M26 28.5V12" />
        </g>
        <circle className="balance-hub" cx="26" cy="28.5" r="2.2" />
      </svg>
      <span>
        {balance.text}
        {balance.also !== null && <span className="balance-also">{balance.also}</span>}
      </span>
    </Link>
  );
}
