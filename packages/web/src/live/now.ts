/** The one place that reads the time, and a hook that lets a component follow it. */
import { useEffect, useState } from "react";

/** Milliseconds since 1970. */
export function nowMs(): number {
  return Date.now();
}

/** The time, renewed every `everyMs` while `active`. */
export function useNow(everyMs: number, active = true): number {
  const [now, setNow] = useState(nowMs);
  useEffect(() => {
    if (!active) return undefined;
    setNow(nowMs());
    const timer = setInterval(() => setNow(nowMs()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, active]);
  return now;
}
