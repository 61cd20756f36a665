/** `npm run layers`: checks imports, names, sizes, clock and environment against allowed-imports.json; exit code 1 on findings. */
import { resolve } from "node:path";
import { checkRepository } from "./check-repository.ts";
import { printFinding } from "./finding.ts";

const repository = resolve(process.argv[2] ?? ".");
const { findings, fileCount } = checkRepository(repository);
for (const finding of findings) console.error(printFinding(finding));
console.log(`layers: ${fileCount} files, ${findings.length} findings`);
if (findings.length > 0) process.exitCode = 1;
