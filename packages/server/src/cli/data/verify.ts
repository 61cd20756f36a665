/** `homeostat verify`: proves the data folder, one run of it, or an exported bundle; needs no server. */
import { writeFile } from "node:fs/promises";
import type { Answer } from "@homeostat/client";
import { blobPlaces, openBlobsReader } from "../../blobs/open-blobs.ts";
import { systemClock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import { homeAt } from "../../home/home.ts";
import { exportBundle, verifyBundle } from "../../ledger/bundle.ts";
import { createLedgerReader } from "../../ledger/reader.ts";
import { openStateReader } from "../../home/state-store.ts";
import { verifyHome } from "../../home/verify-home.ts";
import { connect, loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatSpan } from "../terminal/format-time.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

export interface VerifyOptions extends GlobalOptions {
  readonly run?: string;
  /** The verifier key, or a file that holds it. */
  readonly key?: string;
  /** Where to write a bundle that proves the run to others. */
  readonly export?: string;
}

type Report = Pick<Answer<"ledger.verify">, "verdict" | "text" | "checks" | "findings" | "durationMs">;

/** `file` is a bundle, which needs `--key`; without it the data folder is verified, or a server's with --url. */
export async function verify(
  file: string | undefined,
  options: VerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.export !== undefined) return writeBundle(options, terminal);
  const report = file === undefined ? await verifyWhole(options, terminal) : await verifyFile(file, options);
  terminal.result(report, (paint) => renderReport(report, paint));
  return report.verdict === "intact" ? exitCodes.done : exitCodes.failed;
}

async function verifyWhole(options: VerifyOptions, terminal: Terminal): Promise<Report> {
  const { run } = options;
  if (options.url !== undefined) {
    const { client } = await connect(options);
    return client.call("ledger.verify", { body: run === undefined ? {} : { run } });
  }
  const { config } = loadOptions(options);
  const home = homeAt(config.home);
  const store = await openStateReader(config);
  try {
    const blobs = await openBlobsReader(blobPlaces(home, config.blobs), store);
    const verifierKey = options.key === undefined ? {} : { verifierKey: await readKey(options.key) };
    const onProgress = (text: string): void => terminal.note((paint) => paint("dim", text));
    return await verifyHome({ home, store, blobs, runId: run ?? null, ...verifierKey, onProgress });
  } finally {
    await store.close();
  }
}

async function verifyFile(file: string, { key, run }: VerifyOptions): Promise<Report> {
  if (key === undefined || run !== undefined) {
    throw new HomeostatError(
      "USAGE",
      "A bundle is verified with its public key: homeostat verify FILE --key PUB",
      {},
      {
        hint: "The key is in the file ledger/key.pub of the data folder the bundle comes from.",
      },
    );
  }
  const startMs = systemClock.monotonic();
  const text = (await readUserFile(file)).toString("utf8");
  const { checks, findings, size } = verifyBundle(parseJson(text), await readKey(key));
  const [first] = findings;
  const verdict = first === undefined ? "intact" : "broken";
  const words =
    first === undefined
      ? `intact; signed at size ${size}`
      : `broken at ${first.where}: ${first.what}: ${first.detail}`;
  const durationMs = Math.round(systemClock.monotonic() - startMs);
  return { verdict, text: `bundle: ${words}`, checks, findings, durationMs };
}

async function writeBundle(
  { run, export: target, ...options }: VerifyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (run === undefined || target === undefined || options.url !== undefined) {
    throw new HomeostatError(
      "USAGE",
      "A bundle proves one run of this data folder: homeostat verify --run ID --export FILE",
    );
  }
  const reader = createLedgerReader(homeAt(loadOptions(options).config.home).ledger);
  const bundle = await exportBundle(reader, { kind: "run", runId: run });
  if (bundle.entries.length === 0)
    throw new HomeostatError("RUN_NOT_FOUND", `The ledger holds nothing of a run ${run}`);
  await writeFile(target, `${JSON.stringify(bundle, null, 2)}\n`);
  const { verifierKey, entries } = bundle;
  terminal.result(
    { file: target, entries: entries.length, verifierKey },
    (paint) =>
      `${paint("bold", target)}  ${entries.length} entries\n  anybody proves it with: homeostat verify ${target} --key "${verifierKey}"`,
  );
  return exitCodes.done;
}

/** Keys are texts such as `name+1a2b3c4d+AbC...`; anything without a plus is taken as a file's name. */
async function readKey(key: string): Promise<string> {
  if (key.includes("+")) return key.trim();
  return (await readUserFile(key)).toString("utf8").trim();
}

/** What is no JSON is handed on as it is: the verification says that it is no bundle. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // See above.
    return undefined;
  }
}

function renderReport({ verdict, text, checks, findings, durationMs }: Report, paint: Paint): string {
  const style = verdict === "intact" ? "green" : "red";
  const rows = checks.map(({ name, ok, count, detail }) => [
    ok ? "ok" : "FAILED",
    name,
    String(count),
    oneLine(detail),
  ]);
  const lines = [paint(style, text), "", formatTable(["", "CHECK", "COUNT", "DETAIL"], rows)];
  if (findings.length > 0) lines.push("", paint("red", "Findings"));
  for (const { what, where, detail } of findings)
    lines.push(`  ${oneLine(where)}: ${oneLine(what)}: ${oneLine(detail)}`);
  lines.push("", paint("dim", `took ${formatSpan(durationMs)}`));
  return lines.join("\n");
}
