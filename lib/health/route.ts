import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers one request. What it throws becomes a 500 without details, and a line in the log. */
export type RouteHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** Handlers by method and path, as in `GET /metrics`. */
export type Routes = ReadonlyMap<string, RouteHandler>
