/** A real S3 server for one test file, in a folder of its own, behind a door that can be made to fail. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestS3 {
  /** `blobs.url` of a bucket that is made by this call. */
  bucket(name: string): Promise<string>;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /**
   * The next requests (of those that match) are not answered as they should be: an answer with this status, a connection that breaks
   * at once (0), or in the middle of the answer (-1).
   */
  failNext(count: number, status: number, matches?: (method: string, path: string) => boolean): void;
  /** How many requests came since the last call, by method. */
  requests(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startTestS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), "homeostat-s3-"));
  const program = new URL("test-s3-server.fixture.ts", import.meta.url);
  const s3 = fork(program, [directory], { execArgv: ["--openssl-legacy-provider"] });
  const [{ port }] = (await once(s3, "message")) as [{ readonly port: number }];
  const counts: Record<string, number> = {};
  let failing = { count: 0, status: 0, matches: (_method: string, _path: string): boolean => true };
  const door = createServer((incoming, answer) => {
    const { method = "" } = incoming;
    counts[method] = (counts[method] ?? 0) + 1;
    if (failing.count === 0 || !failing.matches(method, incoming.url ?? ""))
      return forward(incoming, answer, port);
    failing = { ...failing, count: failing.count - 1 };
    if (failing.status === 0) return void incoming.socket.destroy();
    if (failing.status < 0)
      return void answer.writeHead(200, { "content-length": 100_000 }).write("cut", () => answer.destroy());
    incoming.resume();
    answer.writeHead(failing.status).end();
  });
  const doorPort = await listen(door);
  return {
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    async bucket(name) {
      s3.send(name);
      await once(s3, "message");
      return `s3://${name}/some/prefix?endpoint=http://127.0.0.1:${doorPort}`;
    },
    failNext(count, status, matches = () => true) {
      failing = { count, status, matches };
    },
    requests() {
      const taken = { ...counts };
      for (const method of Object.keys(counts)) delete counts[method];
      return taken;
    },
    async stop() {
      door.closeAllConnections();
      await new Promise((resolve) => door.close(resolve));
      s3.disconnect();
      await once(s3, "exit");
      await rm(directory, { recursive: true });
    },
  };
}

/** With the Host header as it came, since the signature covers it. */
function forward(incoming: IncomingMessage, answer: ServerResponse, port: number): void {
  const { method, url: path, headers } = incoming;
  const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (inner) => {
    answer.writeHead(inner.statusCode ?? 500, inner.headers);
    inner.pipe(answer);
  });
  outgoing.on("error", () => answer.destroy());
  incoming.pipe(outgoing);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
