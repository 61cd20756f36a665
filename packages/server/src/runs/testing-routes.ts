/** For tests: calls routes as the server does, schemas included, without a network between. */
import { createTrace } from "../base/trace.ts";
import type { Principal } from "../http/access.ts";
import type { Route } from "../http/route.ts";
import type { SseEvent, SseStream } from "../http/sse.ts";

export const admin: Principal = { id: "admin", role: "admin", tenant: "default" };

export interface RouteCall {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly principal?: Principal;
  readonly idempotencyKey?: string;
  /** Of a caller who may have gone. */
  readonly signal?: AbortSignal;
  readonly lastEventId?: string;
  /** Called for each event of a stream; ends the stream by aborting. */
  readonly onEvent?: (event: SseEvent, end: () => void) => void;
}

/** Rejects as the handler does, and with ZodError where the server would answer 422. */
export async function callRoute(
  routes: readonly Route[],
  operationId: string,
  call: RouteCall = {},
): Promise<unknown> {
  const route = routes.find((each) => each.operationId === operationId);
  if (route === undefined) throw new Error(`there is no operation ${operationId}`);
  const ended = new AbortController();
  const stream: SseStream = {
    lastEventId: call.lastEventId,
    signal: ended.signal,
    open: () => undefined,
    send: (event) => call.onEvent?.(event, () => ended.abort()),
    drained: () => Promise.resolve(),
  };
  const request = {
    params: route.params?.parse(call.params ?? {}) ?? {},
    query: route.query?.parse(call.query ?? {}) ?? {},
    body: route.body?.parse(call.body ?? {}),
    principal: call.principal ?? admin,
    signal: call.signal ?? ended.signal,
    requestId: "req_test",
    trace: createTrace(),
    headers: {},
    idempotencyKey: call.idempotencyKey,
    bodyBytes: undefined,
    largeTexts: new Map(),
    ownAuthorization: undefined,
    sessionValue: undefined,
    isSecure: false,
    setHeader: () => undefined,
    setStatus: () => undefined,
  };
  return await route.handle(request, stream);
}
