/** What `doctor` says about where the blobs lie: the folder, or a bucket that answers. */
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import { checkBlobs } from "../../blobs/open-blobs.ts";
import type { Config } from "../../config/config-schema.ts";
import { homeAt } from "../../home/home.ts";
import type { Diagnosis } from "./diagnosis.ts";

export async function checkBlobStore(config: Pick<Config, "home" | "blobs">): Promise<Diagnosis> {
  try {
    const detail = await checkBlobs({ settings: config.blobs, folder: homeAt(config.home).blobs });
    return { name: "blobs", state: "ok", detail };
  } catch (error) {
    const hint = isHomeostatError(error) ? { hint: error.hint } : {};
    return { name: "blobs", state: "failed", detail: errorMessage(error), ...hint };
  }
}
