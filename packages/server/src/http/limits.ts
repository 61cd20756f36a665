/** Every bound of the HTTP door with its default and reason; `config.ts` overrides what operators may want to change. */

export interface HttpLimits {
  /** For routes that name no limit of their own. */
  readonly bodyLimitBytes: number;
  /** Longest address line: longer ones are attacks or mistakes, and proxies cut at 8 KiB too. */
  readonly maxUrlLength: number;
  /** Time for a whole request to arrive: 64 MiB in this time needs about 4.5 Mbit/s. */
  readonly requestTimeoutMs: number;
  /** Time for a handler to answer; routes may ask for more. */
  readonly handlerTimeoutMs: number;
  /** Longer than the 60 s of common proxies, so that they close idle connections first. */
  readonly keepAliveTimeoutMs: number;
  /** Live streams of all callers together. */
  readonly maxStreams: number;
  readonly streamHeartbeatMs: number;
  /** Bytes that may wait for one slow reader before it is sent away. */
  readonly streamBufferBytes: number;
}

export const defaultLimits: HttpLimits = {
  bodyLimitBytes: 1024 * 1024,
  maxUrlLength: 8 * 1024,
  requestTimeoutMs: 120_000,
  handlerTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  maxStreams: 256,
  streamHeartbeatMs: 15_000,
  streamBufferBytes: 1024 * 1024,
};
