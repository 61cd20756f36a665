/** Single-key shortcuts: which key press means which command, and when they must keep quiet. */
import { useEffect, useRef } from "react";
import { nowMs } from "../live/now.ts";

/** A key (`j`, `?`) or a sequence of two (`g r`) to what it does. */
export type Bindings = Readonly<Record<string, () => void>>;

export interface KeyState {
  readonly first: string;
  readonly atMs: number;
}

const sequenceMs = 1_000;
const settingKey = "homeostat.shortcuts";

/** The binding a key press completes, and what to remember for the next one. Pure. */
export function matchKey(
  bindings: Bindings,
  state: KeyState | null,
  key: string,
  atMs: number,
): { readonly match: string | null; readonly state: KeyState | null } {
  if (state !== null && atMs - state.atMs <= sequenceMs) {
    const sequence = `${state.first} ${key}`;
    if (Object.hasOwn(bindings, sequence)) return { match: sequence, state: null };
  }
  const opensSequence = Object.keys(bindings).some((name) => name.startsWith(`${key} `));
  if (opensSequence) return { match: null, state: { first: key, atMs } };
  return { match: Object.hasOwn(bindings, key) ? key : null, state: null };
}

/** Listens while the component is shown. Quiet in fields, with a modifier held, under a dialog, or when switched off. */
export function useKeys(bindings: Bindings): void {
  const latest = useRef(bindings);
  useEffect(() => {
    latest.current = bindings;
  });
  useEffect(() => {
    let state: KeyState | null = null;
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      if (event.key === "Enter" && isPressed(event.target)) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]") !== null || !areShortcutsOn())
        return;
      const result = matchKey(latest.current, state, event.key, nowMs());
      state = result.state;
      if (result.match === null) return;
      event.preventDefault();
      latest.current[result.match]?.();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

/** WCAG 2.1.4: single-character shortcuts can be switched off (speech input types stray letters). */
export function areShortcutsOn(): boolean {
  try {
    return localStorage.getItem(settingKey) !== "off";
  } catch {
    // Storage may be forbidden; on is the default.
    return true;
  }
}

export function switchShortcuts(on: boolean): void {
  try {
    if (on) localStorage.removeItem(settingKey);
    else localStorage.setItem(settingKey, "off");
  } catch {
    // As above.
  }
}

/** Enter there means the control itself. */
function isPressed(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a, summary, [role='button']") !== null;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}
