/** The list of keys, and the switch that turns them off. */
import { useState, type ReactElement } from "react";
import { Dialog } from "../ui/dialog.tsx";
import { pageEntries } from "./pages.ts";
import { areShortcutsOn, switchShortcuts } from "./keys.ts";
import "./shortcuts-dialog.css";

type Row = readonly [keys: string, what: string];

const groups: readonly { readonly name: string; readonly rows: readonly Row[] }[] = [
  {
    name: "Anywhere",
    rows: [
      ["Ctrl K", "Find a page or a run"],
      ["n", "New task"],
      ...pageEntries.map(({ key, label }): Row => [`g ${key}`, label]),
      ["?", "This list"],
    ],
  },
  {
    name: "Approvals",
    rows: [
      ["j", "Next question"],
      ["k", "Previous question"],
      ["Enter", "Go to the question"],
      ["a", "Approve; high risk twice"],
      ["r", "Reject, with a reason"],
      ["e", "Edit the arguments"],
      ["m", "Approve and remember"],
      ["d", "Hand on to somebody"],
      ["Esc", "Leave the form"],
    ],
  },
  {
    name: "A run",
    rows: [
      ["j", "Next step"],
      ["k", "Previous step"],
      ["/", "Filter the steps"],
      ["Esc", "Close the step"],
    ],
  },
];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [isOn, setOn] = useState(areShortcutsOn);
  const change = (on: boolean): void => {
    switchShortcuts(on);
    setOn(on);
  };
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <div className="shortcuts">
        {groups.map((group) => (
          <section key={group.name}>
            <h3>{group.name}</h3>
            <dl>
              {group.rows.map(([keys, what]) => (
                <div key={what}>
                  <dt>
                    {keys.split(" ").map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="check">
        <input type="checkbox" checked={isOn} onChange={(event) => change(event.target.checked)} />
        Single-key shortcuts are on
      </label>
    </Dialog>
  );
}
