import type { Attributes, Context, Span } from '@opentelemetry/api'
import { lazily } from './lazily.js'
import { VERSION } from './version.js'

export type SpanAttributes = Attributes
/**
 * The headers that carry a trace from one program to the next: W3C's `traceparent`, or the headers configured in the
 * SDK.
 */
export type Carrier = Readonly<Record<string, unknown>>

/** A unit of work in a trace. Errors of the SDK cost the trace, never the work. */
export interface TraceSpan {
  /** Runs `fn`, including everything it awaits, as part of the span. */
  within<T>(fn: () => T): T
  set(attributes: SpanAttributes): void
  /** Marks the span as failed, with the error as an event. */
  fail(error: Error): void
  end(): void
  /** The headers that carry the trace on from here. */
  readonly carrier: Carrier
}

const api = lazily<typeof import('@opentelemetry/api')>('@opentelemetry/api')
/** The key under which each copy of the API's package, of this major version, keeps what was registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')
const registry = globalThis as { readonly [REGISTERED]?: { readonly trace?: unknown } }
const READ = {
  get: (carrier: Carrier, name: string): string | undefined => {
    const value = carrier[name]
    return typeof value === 'string' ? value : undefined
  },
  keys: (carrier: Carrier): string[] => Object.keys(carrier),
}

/**
 * Whether the app has registered an OpenTelemetry SDK. Called once per message: without an SDK, tracing costs no more
 * than this.
 */
export function isTracing(): boolean {
  if (!registry[REGISTERED]?.trace) return false
  const { ProxyTracerProvider, trace } = api()
  const provider = trace.getTracerProvider()
  // Another copy of the API's package is only found here if it was registered.
  return (
    !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== new ProxyTracerProvider().getDelegate()
  )
}

/**
 * Begins a span. Must be called only if `isTracing`.
 * @param from the headers of a message, to continue its trace; else the span is part of the trace that the calling code
 *   runs in
 */
export function startSpan(
  name: string,
  kind: 'consumer' | 'producer',
  attributes: SpanAttributes,
  from?: Carrier,
): TraceSpan {
  const { context, propagation, ROOT_CONTEXT, SpanKind, trace } = api()
  try {
    const parent = from ? propagation.extract(ROOT_CONTEXT, from, READ) : context.active()
    const options = { kind: kind === 'consumer' ? SpanKind.CONSUMER : SpanKind.PRODUCER, attributes }
    const span = trace.getTracer('celeriac', VERSION).startSpan(name, options, parent)
    return new StartedSpan(span, trace.setSpan(parent, span))
  } catch {
    return NO_SPAN
  }
}

/** The headers of the trace that the calling code runs in; empty without one. */
export function activeCarrier(): Carrier {
  return isTracing() ? carrierOf(api().context.active()) : {}
}

/** Runs `fn` as part of the trace that a carrier brings, without a span of its own. */
export function continueTrace<T>(carrier: Carrier, fn: () => T): T {
  if (!isTracing()) return fn()
  const { context, propagation, ROOT_CONTEXT } = api()
  let parent = ROOT_CONTEXT
  quietly(() => {
    parent = propagation.extract(ROOT_CONTEXT, carrier, READ)
  })
  return context.with(parent, fn)
}

const NO_SPAN: TraceSpan = {
  carrier: {},
  within: (fn) => fn(),
  set: () => undefined,
  fail: () => undefined,
  end: () => undefined,
}

function quietly(fn: () => void): void {
  try {
    fn()
  } catch {
    // The app's exporter, processor or propagator may throw.
  }
}

class StartedSpan implements TraceSpan {
  constructor(
    private readonly span: Span,
    private readonly own: Context,
  ) {}

  get carrier(): Carrier {
    return carrierOf(this.own)
  }

  within<T>(fn: () => T): T {
    return api().context.with(this.own, fn)
  }

  set(attributes: SpanAttributes): void {
    quietly(() => this.span.setAttributes(attributes))
  }

  fail(error: Error): void {
    quietly(() => {
      this.span.recordException(error)
      this.span.setStatus({ code: api().SpanStatusCode.ERROR, message: error.message })
    })
  }

  end(): void {
    quietly(() => this.span.end())
  }
}

function carrierOf(from: Context): Carrier {
  const carrier: Record<string, unknown> = {}
  quietly(() => api().propagation.inject(from, carrier))
  return carrier
}
