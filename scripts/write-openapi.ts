/** `npm run openapi`: writes docs/reference/openapi.json as the server itself serves it; `--check` fails when it differs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../packages/server/src/config/config.ts";
import { startSystem } from "../packages/server/src/system/system.ts";

const target = join(import.meta.dirname, "../docs/reference/openapi.json");
const manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../packages/server/package.json"), "utf8"),
) as { version: string };

const home = await mkdtemp(join(tmpdir(), "homeostat-openapi-"));
try {
  const flags = { home, port: "0", "sandbox.install": "never" };
  const system = await startSystem({
    loaded: loadConfig(flags, {}),
    version: manifest.version,
    dashboardFolder: undefined,
    examplesFolder: home,
    announce: () => undefined,
  });
  const text = `${await (await fetch(`${system.url}/v1/openapi.json`)).text()}\n`;
  await system.stop(2_000);
  const isCurrent = existsSync(target) && readFileSync(target, "utf8") === text;
  if (!isCurrent && process.argv.includes("--check")) {
    console.error("docs/reference/openapi.json differs from what the server serves; run: npm run openapi");
    process.exitCode = 1;
  } else if (!isCurrent) {
    writeFileSync(target, text);
    console.log("wrote docs/reference/openapi.json");
  }
} finally {
  await rm(home, { recursive: true, force: true });
}
