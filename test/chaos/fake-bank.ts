/** A fake payment service outside of Homeostat: it counts what reached it, by idempotency key. It never deduplicates. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface FakeBank {
  readonly port: number;
  /** Times each key was charged. */
  readonly charges: ReadonlyMap<string, number>;
  /** What each key asked for; of several times the last. */
  readonly bodies: ReadonlyMap<string, string>;
  /** Whether any attempt of this step was charged, once everything is on record that had been sent before the call. */
  wasCharged(runId: string, step: string): Promise<boolean>;
  /** Resolves when the next charge is on record; its answer then waits for `letGo`. */
  holdNext(): Promise<void>;
  letGo(): void;
  close(): Promise<void>;
}

const lookPath = "/look";
const mostAttempts = 9;

/** Answers after `delayMs`, so that a kill often falls between the charge and its answer. */
export async function startFakeBank(delayMs: number): Promise<FakeBank> {
  const charges = new Map<string, number>();
  const bodies = new Map<string, string>();
  let trap: (() => void) | undefined;
  let held = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    if (request.url === lookPath) return void response.end();
    const key = String(request.headers["idempotency-key"] ?? "none");
    charges.set(key, (charges.get(key) ?? 0) + 1);
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => (body += part));
    // A caller that died in the middle of its body said nothing whole.
    request.on("end", () => bodies.set(key, body));
    const isHeld = trap !== undefined;
    trap?.();
    trap = undefined;
    void Promise.all([sleep(delayMs), isHeld ? held.promise : undefined]).then(() => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ charged: true }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    charges,
    bodies,
    async wasCharged(runId, step) {
      // Connections are taken in their order, so what a dead process had sent is read before the second answer.
      for (let look = 0; look < 2; look += 1) await fetch(`http://127.0.0.1:${port}${lookPath}`);
      return Array.from({ length: mostAttempts }, (_, index) => `${runId}/${step}/${index + 1}`).some((key) =>
        charges.has(key),
      );
    },
    holdNext() {
      held = Promise.withResolvers();
      return new Promise((resolve) => (trap = resolve));
    },
    letGo: () => held.resolve(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
