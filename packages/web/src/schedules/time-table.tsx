/** Times to come, by the schedule's wall clock and by the viewer's. */
import type { ReactElement } from "react";
import { useNow } from "../live/now.ts";
import { formatInZone, formatUntil, viewerZone } from "./zone-time.ts";

interface Props {
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  /** IANA; null for an interval, which has no wall clock. */
  readonly timezone: string | null;
}

export function TimeTable({ times, timezone }: Props): ReactElement {
  const now = useNow(1_000);
  const viewer = viewerZone();
  const isElsewhere =
    timezone !== null && times.some((time) => formatInZone(time, timezone) !== formatInZone(time, viewer));
  return (
    <table className="time-table">
      <thead>
        <tr>
          {isElsewhere && <th scope="col">{timezone}</th>}
          <th scope="col">Here ({viewer})</th>
          <th scope="col">
            <span className="visually-hidden">How long until then</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {times.map((time) => (
          <tr key={time}>
            {isElsewhere && <td>{formatInZone(time, timezone)}</td>}
            <td>
              <time dateTime={new Date(time).toISOString()}>{formatInZone(time, viewer)}</time>
            </td>
            <td className="quiet nowrap">{formatUntil(time, now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
