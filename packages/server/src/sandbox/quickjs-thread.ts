/** The worker thread of one QuickJS program: takes its input, says that it starts, answers with the outcome, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { evaluateProgram } from "./quickjs-program.ts";
import type { QuickjsInput } from "./quickjs-program.ts";

// Started only by quickjs.ts, which sends exactly this.
const port = parentPort!;
port.postMessage("started");
port.postMessage(await evaluateProgram(workerData as QuickjsInput, systemClock));
