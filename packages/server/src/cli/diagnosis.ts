/** One line of what `doctor` found. */

/** `warning`: it works, with less; `failed`: something will not work. */
export interface Diagnosis {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
  readonly hint?: string;
}
