import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Retry } from '../../lib/app/predicate.js'
import type { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { taskMessage } from '../support/message.js'
import { OfflineApp } from '../support/offlineLine.js'
import { brokerUrl } from '../support/services.js'
import { Tracer } from '../support/tracer.js'
import { waitFor } from '../support/waitFor.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const DJANGO = 'b7ad6b7169203331'

describe('a trace that begins in another program', () => {
  let client: Client
  let tracer: Tracer
  let worker: Worker | undefined

  beforeEach(async () => {
    tracer = new Tracer()
    client = await Client.open(brokerUrl())
  })

  afterEach(async () => {
    await worker?.stop()
    await client.close()
    tracer.remove()
  })

  it('goes on through the worker, what its tasks send, and their retries', async () => {
    const queue = await client.queue()
    const app = new OfflineApp('spec')
    let tries = 0
    app.task('spec.first', { acksLate: true }, async () => {
      await app.sendTask('spec.second', [], {}, { queue, countdown: 0.1 })
    })
    app.task('spec.second', { acksLate: true }, () => {
      if (++tries === 1) throw new Retry({ countdown: 0.1 })
    })
    worker = (await startWorker(app, brokerUrl(), queue)).worker
    // Python's instrumentation puts the trace beside Celery's own headers.
    const traceparent = `00-${TRACE}-${DJANGO}-01`
    await client.publish(queue, [taskMessage('spec.first', { headers: { traceparent, tracestate: 'shop=1' } })])
    await waitFor(() => tracer.spans.length === 5, { what: 'five spans' })

    const names = new Map(tracer.spans.map((span) => [span.spanContext().spanId, span.name]))
    names.set(DJANGO, 'apply_async in Django')
    const steps = tracer.spans.map((span) => [
      span.name,
      names.get(span.parentSpanContext?.spanId ?? ''),
      span.spanContext().traceId,
      span.spanContext().traceState?.serialize(),
    ])
    expect(steps).toEqual(
      [
        ['apply_async/spec.second', 'run/spec.first'],
        ['run/spec.first', 'apply_async in Django'],
        ['apply_async/spec.second', 'run/spec.second'],
        ['run/spec.second', 'apply_async/spec.second'],
        ['run/spec.second', 'apply_async/spec.second'],
      ].map((step) => [...step, TRACE, 'shop=1']),
    )
    const [, , sentAgain, , ranAgain] = tracer.spans
    expect(ranAgain?.parentSpanContext?.spanId).toBe(sentAgain?.spanContext().spanId)
    expect(ranAgain?.attributes).toMatchObject({ 'celery.retries': 1, 'celery.state': 'SUCCESS' })
  })
})
