/** Short messages: read out politely and shown as a note for a few seconds. */
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useState,
  type ReactElement,
  type ReactNode,
} from "react";
import { Icon } from "./icon.tsx";
import "./announcer.css";

export type Announce = (
  text: string,
  options?: { readonly quiet?: boolean; readonly tone?: "done" | "waiting" },
) => void;

interface Note {
  readonly id: number;
  readonly text: string;
  readonly quiet: boolean;
  readonly tone: "done" | "waiting";
}

const AnnounceContext = createContext<Announce>(() => undefined);

/** `quiet` messages are only read out, for changes that can be seen anyway. */
export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}

const shownMs = 5_000;

export function Announcer({ children }: { readonly children: ReactNode }): ReactElement {
  const [notes, setNotes] = useState<readonly Note[]>([]);
  const announce = useCallback<Announce>((text, options = {}) => {
    setNotes((before) => [
      ...before.slice(-3),
      { id: (before.at(-1)?.id ?? 0) + 1, text, quiet: options.quiet ?? false, tone: options.tone ?? "done" },
    ]);
  }, []);
  const newest = notes.at(-1);
  useEffect(() => {
    if (newest === undefined) return undefined;
    const timer = setTimeout(() => setNotes([]), shownMs);
    return () => clearTimeout(timer);
  }, [newest]);
  return (
    <AnnounceContext value={announce}>
      {children}
      <div className="visually-hidden" role="status" aria-live="polite">
        {newest?.text}
      </div>
      <div className="notes" aria-hidden="true">
        {notes
          .filter((note) => !note.quiet)
          .map((note) => (
            <div className="note" key={note.id} data-tone={note.tone}>
              <Icon name={note.tone === "done" ? "check" : "info"} />
              {note.text}
            </div>
          ))}
      </div>
    </AnnounceContext>
  );
}
