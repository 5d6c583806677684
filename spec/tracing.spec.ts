import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { propagation, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { activeCarrier, continueTrace, isTracing, startSpan } from '../lib/tracing.js'
import { Tracer } from './support/tracer.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const FROM = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }

describe('without an SDK', () => {
  it('there is no tracing, and nothing is carried', () => {
    expect(isTracing()).toBe(false)
    expect(activeCarrier()).toEqual({})
    expect(continueTrace(FROM, () => activeCarrier())).toEqual({})
  })
})

describe('with an SDK', () => {
  let tracer: Tracer

  beforeEach(() => {
    tracer = new Tracer()
  })
  afterEach(() => tracer.remove())

  it('there is tracing, until it is removed', () => {
    expect(isTracing()).toBe(true)
    tracer.remove()
    expect(isTracing()).toBe(false)
  })

  it('a span goes on with the trace of the headers that it is given', () => {
    const span = startSpan('a', 'consumer', { 'celery.action': 'run' }, FROM)
    const { carrier } = span
    span.end()
    const [ended] = tracer.spans
    expect(ended).toMatchObject({ name: 'a', kind: SpanKind.CONSUMER, attributes: { 'celery.action': 'run' } })
    expect(ended?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: 'b7ad6b7169203331' })
    expect(carrier).toEqual({ traceparent: `00-${TRACE}-${ended?.spanContext().spanId}-01` })
  })

  it.each([[{}], [{ traceparent: 'nonsense' }], [{ traceparent: 5 }], [{ traceparent: [FROM.traceparent] }]])(
    'a span begins a trace where the headers are %j',
    (headers) => {
      startSpan('a', 'consumer', {}, headers).end()
      expect(tracer.spans[0]?.parentSpanContext).toBeUndefined()
    },
  )

  it('a span is part of the one that the calling code runs in, unless it is given headers', async () => {
    const outer = startSpan('outer', 'consumer', {})
    await outer.within(async () => {
      await new Promise(setImmediate)
      startSpan('inner', 'producer', {}).end()
      startSpan('other', 'consumer', {}, {}).end()
    })
    outer.end()
    const [inner, other, ended] = tracer.spans
    expect(inner?.kind).toBe(SpanKind.PRODUCER)
    expect(inner?.parentSpanContext?.spanId).toBe(ended?.spanContext().spanId)
    expect(other?.parentSpanContext).toBeUndefined()
  })

  it('a failure is an event and the status', () => {
    const span = startSpan('a', 'consumer', {})
    span.fail(new RangeError('too far'))
    span.end()
    const [ended] = tracer.spans
    expect(ended?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' })
    expect(ended?.events).toMatchObject([
      { name: 'exception', attributes: { 'exception.type': 'RangeError', 'exception.message': 'too far' } },
    ])
  })

  it('a trace goes on in a function without a span of its own', async () => {
    const carrier = await continueTrace(FROM, async () => {
      await new Promise(setImmediate)
      return activeCarrier()
    })
    expect(carrier).toEqual(FROM)
  })

  it('a propagator that throws costs the trace, and nothing else', () => {
    const fail = (): never => {
      throw new Error('broken')
    }
    propagation.disable()
    propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] })
    expect(startSpan('a', 'producer', {}, FROM).carrier).toEqual({})
    expect(startSpan('a', 'producer', {}).carrier).toEqual({})
    expect(activeCarrier()).toEqual({})
    expect(continueTrace(FROM, () => 'done')).toBe('done')
  })
})
