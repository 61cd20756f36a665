/** Stands between a process and PostgreSQL: lets a COMMIT through or not, and holds back the answer to it. */
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Moment = "before" | "after";

export interface CommitProxy {
  /** The same database by way of the proxy. */
  through(databaseUrl: string): string;
  /** COMMITs seen so far. */
  commits(): number;
  /**
   * `act` is called at the COMMIT after `skip` more: "before", it never reaches the server; "after", the server has answered it and
   * the answer is never passed on.
   */
  actAtCommit(skip: number, when: Moment, act: () => void): void;
  /** Passes on what was held back: for a process that was stopped and not killed. */
  letGo(): void;
  clear(): void;
  close(): Promise<void>;
}

interface Aim {
  readonly number: number;
  readonly when: Moment;
  readonly act: () => void;
}

/** The name of the prepared statement, as Bind has it; the answer's tag, as CommandComplete has it. */
const bound = Buffer.from("\0commit\0");
const completed = Buffer.from("COMMIT\0");

/** `socket` is the path the server listens on. */
export async function startCommitProxy(socket: string): Promise<CommitProxy> {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-commits-"));
  const open = new Set<Socket>();
  let seen = 0;
  let aim: Aim | undefined;
  let pass: (() => void)[] = [];
  const server = createServer((client) => {
    const upstream = createConnection(socket);
    let isHeld = false;
    const hold = (to: Socket, bytes: Buffer): void => {
      pass.push(() => {
        isHeld = false;
        to.write(bytes);
      });
    };
    for (const each of [client, upstream]) {
      open.add(each);
      each.on("error", () => each.destroy());
      each.on("close", () => {
        open.delete(each);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (bytes: Buffer) => {
      if (bytes.includes(bound)) {
        seen += 1;
        if (seen === aim?.number) {
          isHeld = true;
          if (aim.when === "before") {
            aim.act();
            hold(upstream, bytes);
            return;
          }
        }
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes: Buffer) => {
      if (!isHeld) return void client.write(bytes);
      if (aim?.when === "after" && bytes.includes(completed)) aim.act();
      hold(client, bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, ".s.PGSQL.5432"), resolve));
  return {
    through(databaseUrl) {
      const url = new URL(databaseUrl.replace("@/", "@localhost/"));
      url.searchParams.set("host", folder);
      return url.href.replace("@localhost/", "@/");
    },
    commits: () => seen,
    actAtCommit(skip, when, act) {
      aim = { number: seen + skip + 1, when, act };
    },
    letGo() {
      for (const each of pass.splice(0)) each();
    },
    clear() {
      aim = undefined;
      pass = [];
    },
    async close() {
      for (const each of open) each.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
