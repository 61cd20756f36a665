/** What processes that share a database need of each other: the same keys, the registry of who works, and what each offers. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Config } from "./config-schema.ts";
import { sha256 } from "./base/digest.ts";
import { HomeostatError } from "./base/error.ts";
import type { Home } from "./home.ts";
import { readVerifierKey } from "./ledger/keys.ts";
import { readMasterKey } from "./blobs/keys.ts";
import type { Need, WorkerFacts } from "./queue/worker-registry.ts";
import type { SandboxReport } from "./sandbox/sandbox.ts";
import { requireSameFact } from "./store/shared-facts.ts";
import type { Store } from "./store/store.ts";
import type { Root } from "./tools/tool.ts";

/** What this process has for runs that need it. A gateway drives none, so it offers nothing. */
export function offersOf(
  role: Config["role"],
  { languages }: Pick<SandboxReport, "languages">,
  roots: readonly Pick<Root, "name">[],
): readonly Need[] {
  if (role === "gateway") return [];
  const available = languages.filter((language) => language.available);
  return [
    ...available.map(({ id }): Need => `language:${id}`),
    ...roots.map(({ name }): Need => `root:${name}`),
  ].toSorted();
}

/** The facts that stay the same as long as the process lives. */
export function workerFacts(
  config: Pick<Config, "role" | "runs">,
  about: {
    readonly owner: string;
    readonly version: string;
    readonly offers: readonly Need[];
    readonly isolation: string;
    readonly startedAtMs: number;
  },
): Omit<WorkerFacts, "active" | "policyRevision" | "url"> {
  const { owner: id, ...rest } = about;
  const concurrency = config.role === "gateway" ? 0 : config.runs.concurrency;
  return { ...rest, id, role: config.role, host: hostname(), pid: process.pid, concurrency };
}

/** Ports of other processes on this machine, which no tool may call. */
export function neighbourPorts(known: readonly WorkerFacts[]): readonly number[] {
  const here = hostname();
  return known.filter(({ host }) => host === here).map(({ url }) => Number(new URL(url).port));
}

/**
 * Processes on several machines share keys/ (and gateways ledger/) by a volume. A process with keys of its own would write what
 * the others cannot read, so it is refused. Throws BLOB_KEYS_UNUSABLE and LEDGER_KEYS_UNUSABLE.
 */
export async function requireSharedKeys(
  store: Store,
  home: Home,
  { serves }: { readonly serves: boolean },
): Promise<void> {
  const path = join(home.keys, "blob-master.key");
  const master = sha256(`homeostat blob master key ${(await readMasterKey(path)).toString("hex")}`);
  const copyKeys = "Mount or copy the folder `keys` of the first process; see docs/scaling.md.";
  await requireSameFact(store, { name: "blob-master-key", value: master }, () =>
    differs(
      "BLOB_KEYS_UNUSABLE",
      `${path} is not the key that the other processes of this database use`,
      copyKeys,
    ),
  );
  if (!serves) return;
  const verifier = join(home.ledger, "key.pub");
  const copyLedger =
    "Mount the folders `ledger` and `keys` that the other gateways use; see docs/scaling.md.";
  if (!existsSync(verifier)) {
    const [row] = await store.read("SELECT size FROM ledger_position");
    if (Number(row?.["size"] ?? 0) === 0) return;
    const text = `The ledger of this database is not in ${home.ledger}, which is empty`;
    throw differs("LEDGER_KEYS_UNUSABLE", text, copyLedger);
  }
  const { name, id } = readVerifierKey(verifier);
  await requireSameFact(store, { name: "ledger-verifier-key", value: `${name} ${id}` }, () =>
    differs(
      "LEDGER_KEYS_UNUSABLE",
      `The ledger in ${home.ledger} is not the one of this database`,
      copyLedger,
    ),
  );
}

function differs(
  code: "BLOB_KEYS_UNUSABLE" | "LEDGER_KEYS_UNUSABLE",
  message: string,
  hint: string,
): HomeostatError {
  return new HomeostatError(code, message, {}, { hint });
}
