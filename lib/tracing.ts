import {
  type Attributes,
  type Context,
  context,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { VERSION } from './version.js'

export type SpanAttributes = Attributes
/** The headers in which a trace goes from one program to the next: W3C's `traceparent`, or what else the SDK was told to use. */
export type Carrier = Readonly<Record<string, unknown>>

/** A unit of work in a trace. Faults of the SDK cost the trace, never the work. */
export interface TraceSpan {
  /** Runs `fn`, and all that it awaits, as part of the span. */
  within<T>(fn: () => T): T
  set(attributes: SpanAttributes): void
  /** Marks it as failed, with the error as an event. */
  fail(error: Error): void
  end(): void
  /** The headers that carry the trace on from here. */
  readonly carrier: Carrier
}

const NO_PROVIDER = new ProxyTracerProvider().getDelegate()
const READ = {
  get: (carrier: Carrier, name: string): string | undefined => {
    const value = carrier[name]
    return typeof value === 'string' ? value : undefined
  },
  keys: (carrier: Carrier): string[] => Object.keys(carrier),
}

/** Whether the app has registered an OpenTelemetry SDK. Asked once a message: without one, tracing costs no more than this. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider()
  // Another copy of the API's package is only found here if it was registered.
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NO_PROVIDER
}

/**
 * Begins a span. To be called only if `isTracing`.
 * @param from the headers of a message, to go on with its trace; else the span is part of the one that the calling code runs in
 */
export function startSpan(
  name: string,
  kind: 'consumer' | 'producer',
  attributes: SpanAttributes,
  from?: Carrier,
): TraceSpan {
  try {
    const parent = from ? propagation.extract(ROOT_CONTEXT, from, READ) : context.active()
    const options = { kind: kind === 'consumer' ? SpanKind.CONSUMER : SpanKind.PRODUCER, attributes }
    const span = trace.getTracer('celeriac', VERSION).startSpan(name, options, parent)
    return new StartedSpan(span, trace.setSpan(parent, span))
  } catch {
    return NO_SPAN
  }
}

/** The headers that carry on the trace that the calling code runs in; empty where there is none. */
export function activeCarrier(): Carrier {
  return carrierOf(context.active())
}

/** Runs `fn` as part of the trace that a carrier brings, without a span of its own. */
export function continueTrace<T>(carrier: Carrier, fn: () => T): T {
  if (!isTracing()) return fn()
  return context.with(propagation.extract(ROOT_CONTEXT, carrier, READ), fn)
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
    // An exporter or processor of the app's that throws.
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
    return context.with(this.own, fn)
  }

  set(attributes: SpanAttributes): void {
    quietly(() => this.span.setAttributes(attributes))
  }

  fail(error: Error): void {
    quietly(() => {
      this.span.recordException(error)
      this.span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    })
  }

  end(): void {
    quietly(() => this.span.end())
  }
}

function carrierOf(from: Context): Carrier {
  const carrier: Record<string, unknown> = {}
  propagation.inject(from, carrier)
  return carrier
}
