/** Serves the built dashboard: hashed assets for a year, everything else fresh, and its index page for its own addresses. */
import { access } from "node:fs/promises";
import { join, sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { pathOf } from "./request-hooks.ts";

/** True when it answered: the request was a navigation to one of the dashboard's own addresses. */
export type ServePage = (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>;

/** Undefined when there is no built dashboard in the folder. */
export async function serveDashboard(
  app: FastifyInstance,
  folder: string | undefined,
): Promise<ServePage | undefined> {
  if (folder === undefined || !(await exists(join(folder, "index.html")))) return undefined;
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    index: "index.html",
    redirect: false,
    dotfiles: "ignore",
    setHeaders(reply, path) {
      // Vite puts a content hash into every name below assets/, so such a file never changes.
      const isHashed = path.startsWith(join(folder, "assets") + sep);
      reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  return async (request, reply) => {
    if (!isNavigation(request)) return false;
    await reply.code(200).sendFile("index.html");
    return true;
  };
}

/** A browser opening a page: not the API, not a missing asset (its name ends in an extension). */
function isNavigation(request: FastifyRequest): boolean {
  const path = pathOf(request);
  if (request.method !== "GET" || path === "/v1" || path.startsWith("/v1/") || /\.[a-z0-9]+$/i.test(path))
    return false;
  return request.headers.accept?.includes("text/html") === true;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
