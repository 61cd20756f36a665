/** The S3 server of tests as a process of its own; its ciphers of the last century need Node's legacy provider. */
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

interface S3rver {
  run(): Promise<AddressInfo>;
  readonly store: { putBucket(name: string): Promise<void> };
}

// The package has no types and is CommonJS.
const S3rver = createRequire(import.meta.url)("s3rver") as new (options: object) => S3rver;
const directory = process.argv[2];
const server = new S3rver({
  address: "127.0.0.1",
  port: 0,
  silent: true,
  directory,
  allowMismatchedSignatures: false,
});
process.on("message", (name: string) => {
  void server.store.putBucket(name).then(() => process.send?.({ made: name }));
});
process.on("disconnect", () => process.exit());
const { port } = await server.run();
process.send?.({ port });
