import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { waitFor } from '../support/waitFor.js'

describe('a Fastify service', () => {
  it('runs its tasks itself, and ends with nothing left', async () => {
    Object.assign(process.env, {
      CELERY_BROKER_URL: `memory://${randomUUID()}`,
      CELERY_RESULT_BACKEND: 'cache+memory://',
    })
    const { createServer } = await import('./fastify/server.js')
    const server = createServer()
    try {
      const url = await server.listen({ port: 0, host: '127.0.0.1' })
      expect((await fetch(`${url}/readyz`)).status).toBe(200)
      const headers = { 'content-type': 'application/json' }
      const posted = await fetch(`${url}/sums`, { method: 'POST', headers, body: '{"x": 1, "y": 2}' })
      expect(posted.status).toBe(202)
      const { id } = (await posted.json()) as { id: string }
      const look = async () => (await fetch(`${url}/sums/${id}`)).json()
      await waitFor(async () => ((await look()) as { state: string }).state === 'SUCCESS', { what: 'the sum' })
      expect(await look()).toEqual({ state: 'SUCCESS', sum: 3 })
      expect((await fetch(`${url}/sums`, { method: 'POST', headers, body: '{"x": "one"}' })).status).toBe(400)
    } finally {
      await server.close()
    }
  })
})
