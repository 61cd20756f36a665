/** The worker thread of one QuickJS program: takes its input, answers with the outcome, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { evaluateProgram } from "./quickjs-program.ts";
import type { QuickjsInput } from "./quickjs-program.ts";

// Started only by quickjs.ts, which sends exactly this.
parentPort!.postMessage(await evaluateProgram(workerData as QuickjsInput, systemClock));
