/** Builds the ledger's side of a process: it publishes, or watches what another process publishes. */
import { createPublicationWatch } from "../ledger/publication-watch.ts";
import { createLedgerPublisher, defaultPublisherSettings } from "../ledger/publish.ts";
import type { LedgerPublisher } from "../ledger/publish.ts";
import type { ChildSpec } from "../supervision/child.ts";
import { createRenewable } from "../supervision/renewable.ts";
import type { Foundation } from "./foundation.ts";

export interface LedgerSystem {
  /** Runs in a process that serves; a worker has it to build the routes that it does not offer. */
  readonly publisher: () => LedgerPublisher;
  readonly child: ChildSpec;
  /** Resolves when the row of this key has reached the ledger. */
  published(key: string, signal: AbortSignal): Promise<void>;
}

export function createLedger(foundation: Foundation): LedgerSystem {
  const { home, metrics } = foundation;
  const publisher = createRenewable(() =>
    createLedgerPublisher({
      ...foundation,
      ledgerFolder: home.ledger,
      keysFolder: home.keys,
      settings: defaultPublisherSettings,
      observeCommit: ({ count }) => metrics.count("homeostat_ledger_published_total", {}, count),
    }),
  );
  const { child, current } = foundation.serves
    ? publisher
    : createRenewable(() => createPublicationWatch(foundation));
  return {
    publisher: publisher.current,
    child,
    published: (key, signal) => current().published(key, signal),
  };
}
