/** Precision and recall of the redactor on texts with labelled spans (the format of microsoft/presidio-research). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createScanner, findSpans } from "../packages/cell/src/anchors.ts";
import { cardMark, emailMark } from "../packages/cell/src/marks.ts";
import type { Mark, Span } from "../packages/cell/src/marks.ts";

interface LabelledSpan {
  readonly entity_type: string;
  readonly start_position: number;
  readonly end_position: number;
}

interface LabelledText {
  readonly full_text: string;
  readonly spans: readonly LabelledSpan[];
}

const file = "synth_dataset_v2.json";

/**
 * A gold span counts as found when at least 80 % of its characters are masked; a mask of the type that touches no gold
 * span of any type is a false positive.
 */
export function evaluateRedaction(folder: string): void {
  const path = join(folder, file);
  if (!existsSync(path)) return console.log(`eval redaction: skipped, no ${file} in ${folder}`);
  const texts = JSON.parse(readFileSync(path, "utf8")) as readonly LabelledText[];
  const scanner = createScanner();
  const started = performance.now();
  const findings = texts.map((text) => findSpans(text.full_text, scanner));
  const seconds = (performance.now() - started) / 1000;
  const characters = texts.reduce((sum, text) => sum + text.full_text.length, 0);
  console.log(`${texts.length} texts, ${(characters / 1e6 / seconds).toFixed(0)} MB/s`);
  report("EMAIL", emailMark, "EMAIL_ADDRESS", texts, findings);
  report("CARD", cardMark, "CREDIT_CARD", texts, findings);
}

function report(
  title: string,
  mark: Mark,
  type: string,
  texts: readonly LabelledText[],
  findings: readonly (readonly Span[])[],
): void {
  let gold = 0;
  let found = 0;
  let masks = 0;
  let wrong = 0;
  for (const [index, text] of texts.entries()) {
    const spans = findings[index] ?? [];
    for (const label of text.spans.filter((span) => span.entity_type === type)) {
      gold += 1;
      if (covered(label, spans) >= 0.8 * (label.end_position - label.start_position)) found += 1;
    }
    for (const span of spans.filter((candidate) => candidate.mark === mark)) {
      masks += 1;
      if (!text.spans.some((label) => overlap(label, span) > 0)) wrong += 1;
    }
  }
  const precision = masks === 0 ? 1 : (masks - wrong) / masks;
  console.log(
    `${title.padEnd(6)} precision ${precision.toFixed(3)}  recall ${(found / gold).toFixed(3)}  (${found} of ${gold}, ${wrong} false)`,
  );
}

function covered(label: LabelledSpan, spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + overlap(label, span), 0);
}

function overlap(label: LabelledSpan, span: Span): number {
  return Math.max(0, Math.min(label.end_position, span.end) - Math.max(label.start_position, span.start));
}
