/** Calls the Homeostat API with the types of its own document. Runs in browsers and Node.js, without dependencies. */
import { isApiError, toApiError, unreachable } from "./api-error.ts";
import { operations } from "./api.generated.ts";
import type { OperationId, Operations } from "./api.generated.ts";
import { readStream } from "./stream.ts";
import type { StreamEvent, StreamOptions } from "./stream.ts";

export interface ClientOptions {
  /** `http://127.0.0.1:7717`; empty in a page that the server itself served. */
  readonly baseUrl: string;
  /** Sent as bearer token; a page leaves it out and uses its session cookie. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
}

/** Operations that answer once, and those that stream. */
export type StreamId = {
  [Id in OperationId]: Operations[Id]["kind"] extends "sse" ? Id : never;
}[OperationId];
export type CallId = Exclude<OperationId, StreamId>;

interface CallOptions {
  /** Makes a POST safe to repeat: the first success under a key is answered again for 24 hours. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A member is required when the operation has such input and cannot do without. */
type Member<Name extends string, Type> = [Type] extends [undefined]
  ? { readonly [Key in Name]?: undefined }
  : undefined extends Type
    ? { readonly [Key in Name]?: Type }
    : Record<never, never> extends Type
      ? { readonly [Key in Name]?: Type | undefined }
      : { readonly [Key in Name]: Type };

export type Input<Id extends OperationId> = Member<"params", Operations[Id]["params"]> &
  Member<"query", Operations[Id]["query"]> &
  Member<"body", Operations[Id]["body"]>;

export type Answer<Id extends OperationId> = Operations[Id]["answer"];

/** The input may be left out when nothing in it is required. */
type Arguments<All> = Record<never, never> extends All ? [input?: All] : [input: All];

export interface Client {
  /**
   * Throws ApiError with the server's code; SERVER_UNREACHABLE when nobody answers, ANSWER_UNEXPECTED when it was not
   * Homeostat. An aborted signal throws its own reason.
   *
   * @example await client.call("runs.get", { params: { id: "run_1" } })
   */
  call<Id extends CallId>(operationId: Id, ...input: Arguments<Input<Id> & CallOptions>): Promise<Answer<Id>>;
  /** @example for await (const { event, data } of client.stream("runs.stream", { params: { id } })) ... */
  stream<Id extends StreamId>(
    operationId: Id,
    ...input: Arguments<Input<Id> & StreamOptions>
  ): AsyncGenerator<StreamEvent, void, undefined>;
}

export function createClient({ baseUrl, token, fetch: fetchFunction = fetch }: ClientOptions): Client {
  const base = baseUrl.replace(/\/+$/, "");
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function send(
    operationId: OperationId,
    input: AnyInput,
    headers: Record<string, string>,
  ): Promise<Response> {
    const address = base + addressOf(operationId, input);
    try {
      const response = await fetchFunction(
        address,
        requestInit(operationId, input, { ...authorization, ...headers }),
      );
      if (response.ok) return response;
      throw toApiError(response.status, await jsonOrUndefined(response), response.headers.get("retry-after"));
    } catch (error) {
      if (isApiError(error)) throw error;
      if (input.signal?.aborted === true) throw input.signal.reason;
      throw unreachable(base, error);
    }
  }

  return {
    async call(operationId, ...[input]) {
      const given: AnyInput = input ?? {};
      const key = given.idempotencyKey;
      const response = await send(operationId, given, key === undefined ? {} : { "idempotency-key": key });
      // The kind in the table and the answer's type come from one line of the document.
      return (await readAnswer(operationId, response)) as never;
    },
    stream(operationId, ...[input]) {
      const given: AnyInput & StreamOptions = input ?? {};
      return readStream(
        (lastEventId, signal) =>
          send(
            operationId,
            { ...given, signal },
            {
              accept: "text/event-stream",
              ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
            },
          ),
        base,
        given,
      );
    },
  };
}

/** The path with its parameters in place and the query behind it. */
export function addressOf(operationId: OperationId, input: Pick<AnyInput, "params" | "query">): string {
  const { path, rest } = operations[operationId];
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(input.params?.[name] ?? "");
    return name === rest ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  return query.size === 0 ? filled : `${filled}?${query.toString()}`;
}

interface AnyInput extends CallOptions {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

function requestInit(
  operationId: OperationId,
  input: AnyInput,
  headers: Record<string, string>,
): RequestInit {
  const hasBody = input.body !== undefined;
  return {
    method: operations[operationId].method,
    headers: {
      accept: "application/json",
      ...(hasBody ? { "content-type": "application/json" } : {}),
      ...headers,
    },
    credentials: "same-origin",
    ...(hasBody ? { body: JSON.stringify(input.body) } : {}),
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  };
}

async function readAnswer(operationId: OperationId, response: Response): Promise<unknown> {
  switch (operations[operationId].kind) {
    case "none":
      return undefined;
    case "text":
      return response.text();
    case "bytes":
      return new Uint8Array(await response.arrayBuffer());
    case "json":
    case "sse": {
      const answer = await jsonOrUndefined(response);
      if (answer === undefined) throw toApiError(response.status, undefined);
      return answer;
    }
  }
}

async function jsonOrUndefined(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller turns it into ANSWER_UNEXPECTED.
    return undefined;
  }
}
