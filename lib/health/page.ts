import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { writeJson } from '../protocol/content/json.js'
import { PACKAGE_FOLDER } from '../version.js'
import type { History } from './history.js'
import type { Routes } from './route.js'
import { type Source, takeSnapshot } from './snapshot.js'

/** These files are not built. */
const FILES = new URL('lib/health/page/', PACKAGE_FOLDER)
/** Modules of the page, each after those that it imports. */
const MODULES = [
  'format.js',
  'svg.js',
  'chart.js',
  'table.js',
  'dialog.js',
  'actions.js',
  'lists.js',
  'fleets.js',
  'search.js',
  'page.js',
]
const IMPORT = /^import (?:[^']* from )?'\.\/\w+\.js'\n/gm

export interface PageOptions {
  readonly source: Source
  readonly history: Pick<History, 'since'>
  /** Commands that `POST /api/control/<command>` accepts; empty where control is off. */
  readonly controls: readonly string[]
}

/**
 * `GET /`: the page, in one response that needs nothing else. `GET /api/snapshot`: its data, with the samples of the
 * last ten minutes, or only those after `?since=` (Unix milliseconds).
 */
export function pageRoutes({ controls, history, source }: PageOptions): Routes {
  // Read when first requested: a worker whose page is missing works all the same.
  let page: ReturnType<typeof readPage> | null = null
  return new Map([
    [
      'GET /',
      (request, response) => {
        page ??= readPage()
        const { etag, html, policy } = page
        const headers = {
          'content-security-policy': policy,
          'referrer-policy': 'no-referrer',
          'x-frame-options': 'DENY',
          'cross-origin-opener-policy': 'same-origin',
          'cache-control': 'no-cache',
          etag,
        }
        if (request.headers['if-none-match'] === etag) send(response, 304, headers, '')
        else send(response, 200, { ...headers, 'content-type': 'text/html; charset=utf-8' }, html)
      },
    ],
    [
      'GET /api/snapshot',
      (request, response) => {
        const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
        const since = Number(searchParams.get('since') ?? 0)
        const value = { ...takeSnapshot(source), controls, history: history.since(Number.isFinite(since) ? since : 0) }
        const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
        send(response, 200, headers, writeJson(value))
      },
    ],
  ])
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, {
    ...headers,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
  })
  response.end(body)
}

/**
 * Returns the page with its style and modules inlined, and the policy that allows these and nothing else: each by its
 * hash, so that markup injected by a name or a key can't run.
 * @throws Error if a file is missing
 */
export function readPage(): { readonly html: string; readonly policy: string; readonly etag: string } {
  const read = (file: string): string => readFileSync(new URL(file, FILES), 'utf8')
  const style = read('page.css')
  // Inline scripts can't import from each other: they are joined into one, in the order of their imports.
  const script = MODULES.map((file) =>
    read(file)
      .replace(IMPORT, '')
      .replace(/^export /gm, ''),
  ).join('\n')
  const html = read('page.html')
    .replace('<link rel="stylesheet" href="page.css" />', () => `<style>${style}</style>`)
    .replace('<script type="module" src="page.js"></script>', () => `<script type="module">${script}</script>`)
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(style)}'`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  return { html, policy, etag: `"${sha256(html).slice(0, 22)}"` }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
