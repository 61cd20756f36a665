/** `npm run docs`: makes docs/reference from the tables the program itself uses; `--check` fails when a page differs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { referencePages } from "./reference-pages.ts";

const folder = join(import.meta.dirname, "../docs/reference");
const isCheck = process.argv.includes("--check");
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(referencePages())) {
  const path = join(folder, name);
  const isCurrent = existsSync(path) && readFileSync(path, "utf8") === text;
  if (isCurrent) continue;
  if (isCheck) {
    console.error(`docs/reference/${name} differs from the program's table; run: npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`docs: wrote docs/reference/${name}`);
  }
}
