import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../lib/clock.js'
import { livenessRoutes } from '../../lib/health/liveness.js'
import { readinessRoutes } from '../../lib/health/readiness.js'
import type { Routes } from '../../lib/health/route.js'
import { HttpServer } from '../../lib/health/server.js'
import { ask } from '../support/ask.js'
import { MemoryLog } from '../support/memoryLog.js'

async function answerOf(routes: Routes, path: string): Promise<{ status: number; body: unknown }> {
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    routes,
    asked: true,
    clock: systemClock,
    log: new MemoryLog(),
  })
  await server.start()
  try {
    const { body, headers, status } = await ask(server.address?.port ?? 0, path)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(headers['cache-control']).toBe('no-store')
    return { status, body: JSON.parse(body) }
  } finally {
    await server.stop()
  }
}

describe('readiness', () => {
  it('is 200 without a reason against it; a breaker of tasks alone is none', async () => {
    const breakers = [
      { name: 'results', state: 'closed' },
      { name: 'build-system', state: 'open' },
    ]
    expect(await answerOf(readinessRoutes({ readiness: [], breakers }), '/readyz')).toEqual({
      status: 200,
      body: { ready: true, reasons: [], breakers: { results: 'closed', 'build-system': 'open' } },
    })
  })

  it('is 503 with the reasons', async () => {
    expect(await answerOf(readinessRoutes({ readiness: ['it is stopping'], breakers: [] }), '/readyz')).toEqual({
      status: 503,
      body: { ready: false, reasons: ['it is stopping'], breakers: {} },
    })
  })
})

describe('liveness', () => {
  const pulse = { utilisation: 0.12345, latestMs: 12.345 }

  it('is 200 while work goes on, or there is none', async () => {
    expect(await answerOf(livenessRoutes({ pulse, progress: { stalled: false, idleMs: 9000 } }), '/livez')).toEqual({
      status: 200,
      body: { alive: true, reasons: [], event_loop: { utilization: 0.123, longest_delay_seconds: 0.012 } },
    })
  })

  it('is 503 for a worker that leaves its work undone', async () => {
    const answer = await answerOf(livenessRoutes({ pulse, progress: { stalled: true, idleMs: 121_000 } }), '/livez')
    expect(answer).toMatchObject({
      status: 503,
      body: { alive: false, reasons: ['no progress for 121 seconds, although there are messages and free slots'] },
    })
  })
})
