import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { COMMANDS } from '../control/commands/index.js'
import type { Panel } from '../control/panel.js'
import type { Clock, Logger } from '../ports.js'
import { readJson, writeJson } from '../protocol/content/json.js'
import type { RouteHandler, Routes } from './route.js'

/** The commands that the page offers. */
export const CONTROLS: readonly string[] = COMMANDS.filter(({ onPage }) => onPage).map(({ name }) => name)

/** Bytes of the largest body that is read. */
const LONGEST_BODY = 64 * 1024
/** Refusals come as fast as anybody sends requests: one WARNING in that time. */
const WARN_EVERY_MS = 60_000

export interface ControlRoutesOptions {
  readonly panel: Pick<Panel, 'answer'>
  /** Token expected as `Authorization: Bearer`. */
  readonly token: string
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Logger
}

/**
 * `POST /api/control/<command>` for what an operator may do on the page. The body is a JSON object with the command's
 * arguments, the response the command's own (`{"ok": "..."}`, or `{"error": "..."}` with 400). Serve it only where
 * control is on.
 */
export function controlRoutes({ clock, log, panel, token }: ControlRoutesOptions): Routes {
  let warnedAt = Number.NEGATIVE_INFINITY
  let unwarned = 0
  const warn = (text: string): void => {
    if (clock.monotonic() - warnedAt < WARN_EVERY_MS) {
      unwarned++
      log.debug(text)
      return
    }
    log.warning(unwarned === 0 ? text : `${text} (${unwarned} more refused since the last warning)`)
    warnedAt = clock.monotonic()
    unwarned = 0
  }
  const handler =
    (method: string): RouteHandler =>
    async (request, response) => {
      const refused = refusal(request, token)
      if (refused) {
        warn(`Control over HTTP: ${method} from ${request.socket.remoteAddress} refused: ${refused.error}`)
        return answer(response, refused.status, { error: refused.error })
      }
      const args = await argumentsOf(request)
      if ('error' in args) return answer(response, args.status, { error: args.error })
      log.info(`Control over HTTP: ${method} from ${request.socket.remoteAddress}`)
      const value = await panel.answer({
        method,
        arguments: args.value,
        destination: null,
        pattern: null,
        matcher: null,
        ticket: null,
        replyTo: null,
      })
      answer(response, isError(value) ? 400 : 200, value ?? null)
    }
  return new Map(CONTROLS.map((method) => [`POST /api/control/${method}`, handler(method)]))
}

interface Refusal {
  readonly status: number
  readonly error: string
}

/**
 * Returns why a request is refused unread; null if it may be read. A page of another site can't have the token, and is
 * refused even with it.
 */
function refusal({ headers }: IncomingMessage, token: string): Refusal | null {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return foreign
  if (headers.origin !== undefined && hostOf(headers.origin) !== headers.host?.toLowerCase()) return foreign
  const [, given = ''] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  if (!sameText(given, token)) return { status: 401, error: 'the token is wrong' }
  if (!/^application\/json *(;|$)/i.test(headers['content-type'] ?? '')) {
    return { status: 415, error: 'the body has to be application/json' }
  }
  return null
}

const foreign: Refusal = { status: 403, error: 'the request comes from another site' }

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}

/** Compares in constant time, whatever the lengths. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

async function argumentsOf(request: IncomingMessage): Promise<{ readonly value: Record<string, unknown> } | Refusal> {
  const tooLong = { status: 413, error: `the body is longer than ${LONGEST_BODY} bytes` }
  if (Number(request.headers['content-length'] ?? 0) > LONGEST_BODY) return tooLong
  const chunks: Buffer[] = []
  let length = 0
  // Leaving the loop must not close the connection before the response is sent.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false })
  for await (const chunk of body) {
    length += chunk.length
    if (length > LONGEST_BODY) return tooLong
    chunks.push(chunk)
  }
  try {
    const value: unknown = readJson(Buffer.concat(chunks).toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { value: value as Record<string, unknown> }
    }
  } catch {
    // Answered as below: invalid JSON is not a JSON object either.
  }
  return { status: 400, error: 'the body has to be a JSON object' }
}

function isError(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const body = writeJson(value)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="celeriac"' } : {}),
    // A request that was not read to its end can't be followed by another one.
    ...(status === 413 ? { connection: 'close' } : {}),
  })
  response.end(body)
}
