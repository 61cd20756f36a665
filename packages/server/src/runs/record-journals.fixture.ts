/**
 * Keeps the journals of this version for ever: `npm run record-journals -- NAME` writes `fixtures/journal-vNAME.json`, which is never
 * changed. A second argument is how the names begin of the scenarios that are recorded: for a kind of event that is new.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordScenarios } from "./recorded-run.fixture.ts";

const [, , name, begin] = process.argv;
if (name === undefined) throw new Error("say which version this is: npm run record-journals -- 0.1.0");
const path = join(import.meta.dirname, "fixtures", `journal-v${name}.json`);
const recorded = await recordScenarios(begin);
// What has been recorded stays as it is.
await writeFile(path, `${JSON.stringify(recorded)}\n`, { flag: "wx" });
console.log(`${recorded.length} runs are in ${path}`);
