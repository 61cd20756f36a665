/** What everything else stands on: the data folder, logs without secrets, the databases, secrets, blobs, and facts for the ledger. */
import type { JsonObject } from "../base/canonical-json.ts";
import { systemClock as clock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import { createLogger, fileLogStream, standardErrorStream } from "../base/log.ts";
import type { Logger } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import type { Metrics } from "../base/metrics.ts";
import type { HoldsSecret } from "../base/refuse-secret.ts";
import type { BlobStore } from "../blobs/blob.ts";
import { blobPlaces, openBlobs } from "../blobs/open-blobs.ts";
import type { Config } from "../config/config-schema.ts";
import type { LoadedConfig } from "../config/config.ts";
import { prepareHome } from "../home/home.ts";
import type { Home } from "../home/home.ts";
import { recordFact } from "../home/record-fact.ts";
import { openStateStore } from "../home/state-store.ts";
import type { StateStore } from "../home/state-store.ts";
import { openAdminToken } from "../identity/admin-token.ts";
import type { SecretChanges } from "../secrets/secret-changes.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { isProcessDead, processIdentity } from "../store/process-identity.ts";
import type { Store } from "../store/store.ts";
import { requireSharedKeys } from "./cluster.ts";
import { duties, openCache, urlPasswords } from "./facts.ts";
import { createRedactors, openSecretSystem } from "./secrets.ts";
import type { Redactors } from "./secrets.ts";

/** The parts take from it what they need: their own interfaces say what that is. */
export interface Foundation {
  readonly config: Config;
  readonly version: string;
  readonly startedAtMs: number;
  readonly clock: Clock;
  /** See `duties`. */
  readonly serves: boolean;
  readonly drives: boolean;
  readonly home: Home;
  readonly adminToken: string;
  readonly redactors: Redactors;
  /** For texts that would be kept for good. */
  readonly holdsSecret: HoldsSecret;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: StateStore;
  readonly cache: Store;
  readonly secrets: Secrets;
  readonly secretChanges: SecretChanges;
  readonly blobs: BlobStore;
  /** This process, and whether another one is provably gone. */
  readonly owner: string;
  readonly isOwnerDead: (owner: string) => boolean;
  /** Writes a fact for the ledger; never throws. */
  readonly record: (type: string, data: JsonObject) => void;
}

/** Rejects with DATA_FOLDER_UNUSABLE, STORE_UNAVAILABLE and what else stands in the way of opening each. */
export async function openFoundation({
  loaded,
  version,
}: {
  readonly loaded: LoadedConfig;
  readonly version: string;
}): Promise<Foundation> {
  const { config } = loaded;
  const { serves, drives } = duties(config.role);
  const startedAtMs = clock.now();
  const home = await prepareHome(config.home);
  const { value: adminToken } = await openAdminToken(home.folder, config.token);
  const redactors = createRedactors(adminToken, urlPasswords(config));
  const logger = openLog(config.log, redactors);
  const metrics = createMetrics({ clock, version, nodeVersion: process.version });

  const store = await openStateStore(config, { logger, metrics });
  const cache = await openCache(home.cacheDatabase, { clock, logger });
  const { secrets, changes: secretChanges } = await openSecretSystem({
    settings: config.secrets,
    environment: loaded.secretEnvironment,
    keysFolder: home.keys,
    ...{ store, clock, logger },
  });
  redactors.learn(secrets);
  const blobs = await openBlobs(blobPlaces(home, config.blobs), { store, clock });
  await requireSharedKeys(store, home, { serves });
  return {
    ...{ config, version, startedAtMs, clock, serves, drives },
    ...{ home, adminToken, redactors, logger, metrics, store, cache, secrets, secretChanges, blobs },
    holdsSecret: (text) => redactors.recorded.text(text) !== text,
    owner: processIdentity(),
    isOwnerDead: isProcessDead,
    record(type, data) {
      // A fact that cannot be written now is in the log; the store's own health tells the operator.
      store.write([recordFact(type, data, clock.now())]).catch((error: unknown) => {
        logger.error({ type, error: errorMessage(error) }, "a fact could not be recorded");
      });
    },
  };
}

/** Logs and everything shown lose personal data too; the journal loses secrets only, for runs work with its values. */
function openLog(settings: Config["log"], { shown }: Redactors): Logger {
  const stream = settings.file === undefined ? standardErrorStream() : fileLogStream(settings.file, settings);
  return createLogger({ level: settings.level, redact: shown.text, streams: [stream], clock });
}
