/** `homeostat doctor`: looks at everything a server needs on this machine and says what to do about what is missing. */
import type { SupervisionTree } from "@homeostat/client/api";
import type { ConfigEntry, LoadedConfig } from "../../config/config.ts";
import { checkBlobStore } from "./check-blobs.ts";
import { checkCluster } from "./check-cluster.ts";
import { checkHome, checkRoots, checkToken } from "./check-home.ts";
import { checkKeys } from "./check-keys.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkDashboard, checkSandbox, judgeNode } from "./check-machine.ts";
import { checkRules } from "./check-rules.ts";
import { checkServer, judgeTree, readTree } from "./check-server.ts";
import { checkState } from "./check-state.ts";
import { loadOptions } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { failed } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { renderTree } from "../server/parts.ts";
import { cut, oneLine } from "../terminal/table.ts";
import type { Paint, Terminal } from "../terminal/terminal.ts";

/** Exit code 1 when anything has failed; warnings are no failure. Needs no server, and shows the tree of one that runs. */
export async function doctor(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const checks: Diagnosis[] = [judgeNode(process.versions.node)];
  const loaded = readConfig(options, checks);
  let tree: SupervisionTree | undefined;
  if (loaded !== undefined) {
    const { config } = loaded;
    checks.push(await checkHome(config.home));
    checks.push(...(await checkRoots(config)));
    checks.push(await checkToken(loaded));
    checks.push(...(await checkKeys(config)));
    checks.push(await checkRules(options));
    checks.push(...(await checkState(config)));
    checks.push(...(await checkCluster(config)));
    checks.push(await checkBlobStore(config));
    checks.push(await checkLedger(config));
    checks.push(await checkServer(loaded));
    tree = await readTree(options);
    if (tree !== undefined) checks.push(...judgeTree(tree));
  }
  checks.push(await checkSandbox());
  checks.push(checkDashboard());
  const isWell = checks.every(({ state }) => state !== "failed");
  terminal.result({ ok: isWell, checks, tree: tree ?? null }, (paint) =>
    [
      ...checks.map((check) => renderCheck(check, paint)),
      ...(tree === undefined ? [] : ["", ...renderTree(tree, paint)]),
    ].join("\n"),
  );
  return isWell ? exitCodes.done : exitCodes.failed;
}

function renderCheck({ name, state, detail, hint }: Diagnosis, paint: Paint): string {
  const style = state === "ok" ? "green" : state === "warning" ? "yellow" : "red";
  const remedy = hint === undefined ? "" : `\n${" ".repeat(20)}${paint("cyan", "hint:")} ${hint}`;
  return `${paint(style, state.padEnd(8))} ${name.padEnd(10)} ${detail}${remedy}`;
}

function readConfig(options: GlobalOptions, checks: Diagnosis[]): LoadedConfig | undefined {
  try {
    const loaded = loadOptions(options);
    const set = loaded.entries.filter(({ origin }) => origin !== "default").map(describeEntry);
    const detail = `${loaded.file ?? "no file"}${set.length === 0 ? ", all defaults" : `; ${set.join(", ")}`}`;
    checks.push({ name: "config", state: "ok", detail });
    return loaded;
  } catch (error) {
    checks.push(failed("config", error));
    return undefined;
  }
}

/** `config print` shows values in full; secrets are masked there and here. */
function describeEntry({ key, value, origin }: ConfigEntry): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `${key} = ${cut(oneLine(text), 60)} from ${origin}`;
}
