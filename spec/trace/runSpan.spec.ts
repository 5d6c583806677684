import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { App } from '../../lib/app/app.js'
import type { Outlet } from '../../lib/app/outlet.js'
import { Ignore, Reject, Retry } from '../../lib/app/predicate.js'
import { createDisabledBackend } from '../../lib/backends/disabled.js'
import { BrokerError } from '../../lib/errors.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'
import { Tracer } from '../support/tracer.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const HEADERS = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }

/** Keeps what an app sends. */
class KeptOutlet implements Outlet {
  readonly sent: OutgoingMessage[] = []
  readonly backend = createDisabledBackend()
  failure: Error | null = null

  route = (_: string, { queue = 'celery' }: { queue?: string }) => ({
    exchange: queue === 'celery' ? '' : 'shop',
    routingKey: queue,
    priority: 0,
    queue,
  })
  prepare = async (): Promise<void> => undefined
  close = async (): Promise<void> => undefined
  async send(message: OutgoingMessage): Promise<void> {
    if (this.failure) throw this.failure
    this.sent.push(message)
  }
}

describe('spans', () => {
  let tracer: Tracer
  let app: App
  let outlet: KeptOutlet
  let offline: OfflineLine

  beforeEach(() => {
    tracer = new Tracer()
    app = new OfflineApp('spec')
    outlet = new KeptOutlet()
    app.lend(outlet)
    app.task('add', (x: number, y: number) => x + y)
    app.task('send', async () => {
      await new Promise(setImmediate)
      await app.sendTask('next', [1])
    })
    app.task('fail', { throws: [RangeError] }, (kind: string) => {
      if (kind === 'retry') throw new Retry({ countdown: 10, exc: new TypeError('busy') })
      if (kind === 'ignore') throw new Ignore()
      if (kind === 'reject') throw new Reject('no')
      throw kind === 'expected' ? new RangeError('as expected') : new TypeError('broken')
    })
    app.task('keyed', { orderBy: 'kwargs.key', params: ['key'] }, (_key: string) => {
      throw new Retry({ countdown: 10 })
    })
    offline = new OfflineLine(app)
  })
  afterEach(() => tracer.remove())

  async function run(task: string, options: Parameters<OfflineLine['deliver']>[1]): Promise<void> {
    offline.deliver(task, options)
    await offline.turn()
    await offline.turn()
    await offline.turn()
  }

  it('of a run are named and attributed as Python names them', async () => {
    const headers = { ...HEADERS, origin: 'gen1@django', timelimit: [30, 20], expires: null }
    await run('add', { id: 'x', args: [2, 3], headers })
    const [span] = tracer.spans
    expect(span).toMatchObject({ name: 'run/add', kind: SpanKind.CONSUMER, status: { code: SpanStatusCode.UNSET } })
    expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: 'b7ad6b7169203331', isRemote: true })
    expect(span?.attributes).toEqual({
      'celery.action': 'run',
      'celery.task_name': 'add',
      'celery.state': 'SUCCESS',
      'celery.hostname': 'gen1@django',
      'celery.timelimit': [30, 20],
      'celery.delivery_info': "{'exchange': '', 'routing_key': 'spec', 'priority': 0, 'redelivered': False}",
      'messaging.message.id': 'x',
      'messaging.conversation_id': 'x',
      'messaging.destination': 'spec',
    })
  })

  it('of a run without a trace in its message begin one', async () => {
    await run('add', { args: [2, 3] })
    expect(tracer.spans[0]?.parentSpanContext).toBeUndefined()
    expect(tracer.spans[0]?.attributes['celery.hostname']).toBe('w@spec')
  })

  it('of a failed run have the error', async () => {
    await run('fail', { args: ['unexpected'], headers: HEADERS })
    const [span] = tracer.spans
    expect(span?.attributes['celery.state']).toBe('FAILURE')
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'broken' })
    expect(span?.events).toMatchObject([{ name: 'exception', attributes: { 'exception.type': 'TypeError' } }])
  })

  it.each([
    ['expected', 'FAILURE'],
    ['ignore', 'IGNORED'],
    ['reject', 'REJECTED'],
  ])('of a run that ends otherwise have no error: %s', async (kind, state) => {
    await run('fail', { args: [kind] })
    const [span] = tracer.spans
    expect(span).toMatchObject({ status: { code: SpanStatusCode.UNSET }, events: [] })
    expect(span?.attributes['celery.state']).toBe(state)
  })

  it('of what a task sends are children of its run, and go on in the message', async () => {
    await run('send', { headers: HEADERS })
    const [sent, ran] = tracer.spans
    expect([sent?.name, ran?.name]).toEqual(['apply_async/next', 'run/send'])
    expect(sent?.kind).toBe(SpanKind.PRODUCER)
    expect(sent?.spanContext().traceId).toBe(TRACE)
    expect(sent?.parentSpanContext?.spanId).toBe(ran?.spanContext().spanId)
    const headers = outlet.sent[0]?.properties.headers
    expect(headers?.traceparent).toBe(`00-${TRACE}-${sent?.spanContext().spanId}-01`)
    expect(sent?.attributes).toEqual({
      'celery.action': 'apply_async',
      'celery.task_name': 'next',
      'messaging.message.id': headers?.id,
      'messaging.destination': 'celery',
      'messaging.destination_kind': 'queue',
    })
  })

  it('of a retry tell why, and the next try goes on with the trace', async () => {
    await run('fail', { id: 'x', args: ['retry'], headers: HEADERS })
    const [sent, ran] = tracer.spans
    expect([sent?.name, ran?.name]).toEqual(['apply_async/fail', 'run/fail'])
    expect(sent?.parentSpanContext?.spanId).toBe(ran?.spanContext().spanId)
    expect(ran).toMatchObject({ status: { code: SpanStatusCode.UNSET }, events: [] })
    expect(ran?.attributes).toMatchObject({
      'celery.state': 'RETRY',
      'celery.retry.reason': "Retry in 10s: TypeError('busy')",
    })
    const [message] = offline.published
    expect(message?.properties.headers).toMatchObject({
      id: 'x',
      retries: 1,
      traceparent: `00-${TRACE}-${sent?.spanContext().spanId}-01`,
    })
    offline.clock.advance(10_000)
    await run('fail', { args: ['ignore'], headers: message?.properties.headers })
    expect(tracer.spans[2]?.parentSpanContext?.spanId).toBe(sent?.spanContext().spanId)
    expect(tracer.spans[2]?.attributes['celery.retries']).toBe(1)
  })

  it('of tries in a lane are one each, all of them of the trace of the message', async () => {
    await run('keyed', { kwargs: { key: 'k' }, headers: HEADERS })
    offline.clock.advance(10_000)
    await offline.turn()
    expect(tracer.spans.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
      ['run/keyed', 'b7ad6b7169203331'],
      ['run/keyed', 'b7ad6b7169203331'],
    ])
    expect(tracer.spans.map(({ attributes }) => attributes['celery.retries'])).toEqual([undefined, 1])
  })

  it('of what an app sends by itself begin a trace, and tell of a message that the broker refused', async () => {
    outlet.failure = new BrokerError('no such exchange', { retriable: false })
    await expect(app.sendTask('next', [], {}, { queue: 'orders' })).rejects.toThrow('no such exchange')
    const [span] = tracer.spans
    expect(span?.parentSpanContext).toBeUndefined()
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such exchange' })
    expect(span?.attributes).toMatchObject({ 'celery.exchange': 'shop', 'messaging.destination': 'orders' })
    expect(span?.attributes).not.toHaveProperty('messaging.destination_kind')
  })

  it('are not made, and headers stay as they are, without an SDK', async () => {
    tracer.remove()
    await run('send', { headers: HEADERS })
    expect(outlet.sent).toHaveLength(1)
    expect(outlet.sent[0]?.properties.headers).not.toHaveProperty('traceparent')
    expect(tracer.spans).toEqual([])
  })
})
