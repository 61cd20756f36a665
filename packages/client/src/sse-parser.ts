/** Reads server-sent events from text in any pieces (WHATWG HTML section 9.2.6). */

export interface ServerEvent {
  /** The last id seen, as the standard says: events without one keep the id before. Empty before the first. */
  readonly id: string;
  /** `message` when the server named none. */
  readonly event: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that `text` completes, in order. */
  push(text: string): readonly ServerEvent[];
  /** The server's wish for the pause before a new try, once it sent one. */
  retryMs(): number | undefined;
}

export function createSseParser(): SseParser {
  let rest = "";
  let isFirst = true;
  let lastId = "";
  let event = "";
  let data: string[] = [];
  let retry: number | undefined;

  function takeLine(line: string): ServerEvent | undefined {
    if (line === "") return dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) lastId = value;
    else if (field === "retry" && /^\d+$/.test(value)) retry = Number(value);
    return undefined;
  }

  function dispatch(): ServerEvent | undefined {
    const complete =
      data.length === 0 ? undefined : { id: lastId, event: event || "message", data: data.join("\n") };
    event = "";
    data = [];
    return complete;
  }

  return {
    retryMs: () => retry,
    push(text) {
      rest += text;
      if (isFirst && rest !== "") {
        rest = rest.replace(/^\uFEFF/, "");
        isFirst = false;
      }
      const events: ServerEvent[] = [];
      for (;;) {
        const end = rest.search(/[\r\n]/);
        // A return at the very end may be half of a line end: wait for what follows.
        if (end < 0 || (rest[end] === "\r" && end === rest.length - 1)) return events;
        const complete = takeLine(rest.slice(0, end));
        rest = rest.slice(rest[end] === "\r" && rest[end + 1] === "\n" ? end + 2 : end + 1);
        if (complete !== undefined) events.push(complete);
      }
    },
  };
}
