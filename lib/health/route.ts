import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers one request. An error becomes a 500 without details, and a log line. */
export type RouteHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** Handlers by method and path, as in `GET /metrics`. */
export type Routes = ReadonlyMap<string, RouteHandler>
