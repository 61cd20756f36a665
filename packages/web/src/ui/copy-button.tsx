/** Copies a text and says so for a moment. */
import { useEffect, useState, type ReactElement } from "react";
import { useAnnounce } from "./announcer.tsx";
import { IconButton } from "./button.tsx";

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const announce = useAnnounce();
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    void writeClipboard(text).then((written) => {
      setCopied(written);
      announce(written ? `Copied ${what}` : `The browser did not let the page copy ${what}`);
    });
  };
  return <IconButton icon={copied ? "check" : "copy"} label={`Copy ${what}`} onClick={copy} />;
}

/** The clipboard exists only on https and localhost; a selection can be copied anywhere. */
async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
