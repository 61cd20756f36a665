/** How long a question still stands; turns urgent in the last tenth. */
import type { ReactElement } from "react";
import type { Approval } from "../api/contract.ts";
import { formatCountdown } from "../format/duration.ts";
import { formatExact, millisOf } from "../format/time.ts";
import { useNow } from "../live/now.ts";
import { Icon } from "../ui/icon.tsx";

export function Expiry({ approval }: { readonly approval: Approval }): ReactElement {
  const now = useNow(1_000, approval.expiresAt !== null);
  const expiresMs = millisOf(approval.expiresAt);
  const askedMs = millisOf(approval.requestedAt) ?? now;
  if (expiresMs === null)
    return (
      <span className="expiry" data-tone="idle">
        never expires
      </span>
    );
  const leftMs = expiresMs - now;
  const isUrgent = leftMs < (expiresMs - askedMs) / 10;
  return (
    <span
      className="expiry"
      data-tone={isUrgent ? "failed" : "idle"}
      title={`Expires ${formatExact(expiresMs)}`}
    >
      <Icon name="clock" size={13} />
      {leftMs <= 0 ? "expires now" : `expires in ${formatCountdown(leftMs)}`}
    </span>
  );
}
