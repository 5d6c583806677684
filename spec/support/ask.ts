import { type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Milliseconds from the call to the last byte. */
  readonly tookMs: number
}

/** Asks a server of this machine, on a connection of its own, as a probe does. */
export function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const since = performance.now()
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false, ...options }, (response) => {
      const { headers, statusCode: status = 0 } = response
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (text: string) => {
          body += text
        })
        .on('end', () => resolve({ status, headers, body, tookMs: performance.now() - since }))
        .on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}
