/** Switches between the system's theme, light and dark. */
import { useState, type ReactElement } from "react";
import { IconButton } from "../ui/button.tsx";
import { useAnnounce } from "../ui/announcer.tsx";
import { applyTheme, nextTheme, readTheme, type Theme } from "./theme.ts";

const icons = { system: "auto", light: "sun", dark: "moon" } as const;

export function ThemeToggle(): ReactElement {
  const [theme, setTheme] = useState<Theme>(readTheme);
  const announce = useAnnounce();
  const change = (): void => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
    announce(`Theme: ${next}`, { quiet: true });
  };
  return (
    <IconButton
      icon={icons[theme]}
      label={`Theme: ${theme}. Change to ${nextTheme(theme)}`}
      onClick={change}
    />
  );
}
