/** Routes of the ledger: its state, the C2SP tiles and checkpoint for any tlog client, entries, proofs, and verification. */
import { z } from "zod";
import { HomeostatError } from "../base/error.ts";
import { isOwner } from "../http/access.ts";
import type { Principal } from "../http/access.ts";
import { formatCursor, parseCursor } from "../http/page.ts";
import { route } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { proveConsistency, proveInclusion } from "./proof.ts";
import type { Store } from "../store/store.ts";
import type { LedgerPublisher } from "./publish.ts";
import { parseTilePath } from "./tile.ts";
import { verifyReportSchema } from "./verify-report.ts";
import type { VerifyReport } from "./verify-report.ts";

export interface LedgerRoutesDeps {
  /** The one in force: it is made anew when it broke down. */
  readonly publisher: () => Pick<LedgerPublisher, "reader" | "state">;
  readonly store: Pick<Store, "read">;
  /** Verifies the whole log, or one run. Slow: seconds for millions of entries. */
  readonly verify: (runId: string | null, signal: AbortSignal) => Promise<VerifyReport>;
}

const stateSchema = z
  .object({
    size: z.number().int(),
    root: z.string(),
    checkpoint: z.string(),
    verifierKey: z.string(),
    pending: z.number().int(),
    witnessedTo: z.number().int().nullable(),
    lastCheckpointAt: z.string().nullable(),
  })
  .meta({ id: "LedgerState" });

const count = z.coerce.number().int().min(0);
const common = { method: "GET", tags: ["ledger"], access: "viewer" } as const;

export function ledgerRoutes(deps: LedgerRoutesDeps): readonly Route[] {
  return [...stateRoutes(deps), entriesRoute(deps), ...proofRoutes(deps), verifyRoute(deps)];
}

function stateRoutes({ publisher }: LedgerRoutesDeps): readonly Route[] {
  return [
    route({
      ...common,
      path: "/v1/ledger",
      operationId: "ledger.get",
      summary: "Size, root and signed checkpoint of the ledger",
      response: stateSchema,
      handle: () => publisher().state(),
    }),
    route({
      ...common,
      path: "/v1/ledger/checkpoint",
      operationId: "ledger.checkpoint",
      summary: "The checkpoint as a C2SP signed note",
      response: "text",
      handle: () => ({ body: publisher().reader.head().note }),
    }),
    route({
      ...common,
      path: "/v1/ledger/tile/{+path}",
      operationId: "ledger.tile",
      summary: "A tile of the Merkle tree in C2SP tlog-tiles layout",
      params: z.object({ path: z.string().max(100) }),
      response: "bytes",
      handle: async ({ params, principal }) => {
        const request = parseTilePath(params.path);
        if (request?.kind === "entries")
          requireOwner(principal, "The entries' tiles hold those of all tenants");
        const size = publisher().reader.head().size;
        const body = request === undefined ? undefined : await publisher().reader.tile(request, size);
        if (body === undefined) {
          throw new HomeostatError("NOT_FOUND", `A tree of ${size} entries has no tile ${params.path}`, {
            size,
          });
        }
        return { body, contentType: "application/octet-stream" };
      },
    }),
  ];
}

function entriesRoute({ publisher }: LedgerRoutesDeps): Route {
  return route({
    ...common,
    path: "/v1/ledger/entries",
    operationId: "ledger.entries",
    summary:
      "Entries by index, oldest first; of one's own tenant alone, unless it is the one that runs the server",
    query: z.object({
      from: count.default(0),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().min(1).max(512).optional(),
    }),
    response: z.object({
      data: z.array(z.object({ index: z.number().int(), entry: z.record(z.string(), z.unknown()) })),
      nextCursor: z.string().nullable(),
    }),
    handle: async ({ query, principal }) => {
      const from =
        query.cursor === undefined ? query.from : parseCursor(query.cursor, z.tuple([z.number()]))[0];
      const { size } = publisher().reader.head();
      const to = Math.min(size, from + query.limit);
      const entries = from >= to ? [] : await publisher().reader.entries(from, to);
      return {
        data: entries
          .map((bytes, offset) => ({
            index: from + offset,
            // Entries are canonical JSON objects; the ledger takes nothing else in.
            entry: JSON.parse(bytes.toString()) as Record<string, unknown>,
          }))
          .filter(({ entry }) => isOwner(principal) || entry["tenant"] === principal.tenant),
        nextCursor: to < size ? formatCursor([to]) : null,
      };
    },
  });
}

function requireOwner(principal: Principal, why: string): void {
  if (isOwner(principal)) return;
  const { tenant } = principal;
  throw new HomeostatError("AUTHORIZATION_DENIED", `${why}; they are not for tenant ${tenant}`, { tenant });
}

async function requireOwnRun(store: Pick<Store, "read">, { tenant }: Principal, run: string): Promise<void> {
  const rows = await store.read("SELECT id FROM runs WHERE id = ? AND tenant = ?", [run, tenant]);
  if (rows.length === 0) throw new HomeostatError("RUN_NOT_FOUND", `There is no run ${run}`, { run });
}

function proofRoutes({ publisher }: LedgerRoutesDeps): readonly Route[] {
  const source = () => ({ reader: publisher().reader, signedSize: publisher().reader.head().size });
  return [
    route({
      ...common,
      path: "/v1/ledger/proofs/inclusion",
      operationId: "ledger.inclusionProof",
      summary: "Proof that an entry is in the tree (RFC 6962)",
      query: z.object({ index: count, size: count.optional() }),
      response: z.object({ index: z.number(), size: z.number(), hashes: z.array(z.string()) }),
      handle: async ({ query }) => {
        const from = source();
        const size = query.size ?? from.signedSize;
        return { index: query.index, size, hashes: await proveInclusion(from, query.index, size) };
      },
    }),
    route({
      ...common,
      path: "/v1/ledger/proofs/consistency",
      operationId: "ledger.consistencyProof",
      summary: "Proof that an older tree is a prefix of a newer one (RFC 6962)",
      query: z.object({ from: count, to: count.optional() }),
      response: z.object({ from: z.number(), to: z.number(), hashes: z.array(z.string()) }),
      handle: async ({ query }) => {
        const proofSource = source();
        const to = query.to ?? proofSource.signedSize;
        return { from: query.from, to, hashes: await proveConsistency(proofSource, query.from, to) };
      },
    }),
  ];
}

/** Whole verifications that may wait while one is under way. */
const mostWaiting = 4;

/** A whole verification keeps the process busy for seconds, and everybody may ask for one: they take turns. */
function verifyRoute(deps: LedgerRoutesDeps): Route {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const inTurn = async (signal: AbortSignal): ReturnType<LedgerRoutesDeps["verify"]> => {
    if (waiting > mostWaiting) {
      const hint = "Try again in a minute, or run `homeostat verify`, which needs no server.";
      throw new HomeostatError(
        "SERVER_BUSY",
        "Other verifications are under way",
        { retryAfterSeconds: 60 },
        { hint },
      );
    }
    waiting += 1;
    const mine = last.then(() => {
      signal.throwIfAborted();
      return deps.verify(null, signal);
    });
    last = mine.catch(() => undefined).finally(() => (waiting -= 1));
    return await mine;
  };
  return route({
    ...common,
    method: "POST",
    path: "/v1/ledger/verify",
    operationId: "ledger.verify",
    summary: "Verify the whole ledger against journals and artifacts, or one run",
    body: z.strictObject({ run: z.string().min(1).max(64).optional() }),
    response: verifyReportSchema,
    timeoutMs: 10 * 60_000,
    async handle({ body: { run }, signal, principal }) {
      if (run === undefined) {
        requireOwner(principal, "Findings of the whole ledger are of all tenants");
        return await inTurn(signal);
      }
      if (!isOwner(principal)) await requireOwnRun(deps.store, principal, run);
      return await deps.verify(run, signal);
    },
  });
}
