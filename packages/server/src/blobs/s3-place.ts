/** Where blobs lie on an S3 server: `s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1&pathStyle=true`. Pure. */
import { HomeostatError } from "../base/error.ts";

export interface S3Place {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly region: string;
  /** Undefined is Amazon's own. */
  readonly endpoint: string | undefined;
  /** The bucket is in the path instead of the host's name, as most servers other than Amazon's want it. */
  readonly pathStyle: boolean;
  /** Undefined: the standard chain of environment, files and the machine's role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** What may be shown of it. */
  readonly shown: string;
}

const known = ["endpoint", "region", "pathStyle"];

/** Throws CONFIG_INVALID that says which part is wrong. */
export function parseS3Place(text: string, credentials: S3Place["credentials"]): S3Place {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?]*))?(?:\?(.*))?$/.exec(text);
  if (match === null) throw wrong("it has not the form s3://bucket/prefix?endpoint=...&region=...");
  const [, bucket = "", path = "", query = ""] = match;
  const params = new URLSearchParams(query);
  for (const name of params.keys()) if (!known.includes(name)) throw wrong(`it has the unknown part ${name}`);
  const endpoint = params.get("endpoint") ?? undefined;
  if (endpoint !== undefined && !/^https?:\/\/[^@/]+(?:\/.*)?$/.test(endpoint))
    throw wrong("its endpoint is no address such as https://host:9000");
  const pathStyle = params.get("pathStyle") ?? String(endpoint !== undefined);
  if (pathStyle !== "true" && pathStyle !== "false") throw wrong("its pathStyle is neither true nor false");
  const folder = path.replaceAll(/^\/+|\/+$/g, "");
  const prefix = folder === "" ? "" : `${folder}/`;
  const region = params.get("region") ?? "us-east-1";
  const shown = `s3://${bucket}/${folder}${endpoint === undefined ? "" : ` at ${endpoint}`}`;
  return { bucket, prefix, region, endpoint, pathStyle: pathStyle === "true", credentials, shown };
}

function wrong(why: string): HomeostatError {
  const hint = "For example s3://my-bucket/homeostat?region=eu-central-1";
  return new HomeostatError("CONFIG_INVALID", `blobs.url cannot be used: ${why}`, {}, { hint });
}
