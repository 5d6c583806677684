import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { waitFor } from './waitFor.js'

/** An OpenTelemetry SDK that keeps its spans. Remove it in `afterEach`: it is the whole process's. */
export class Tracer {
  private readonly exporter = new InMemorySpanExporter()

  constructor() {
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] }))
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  }

  /** Those that have ended, in the order of their ends. */
  get spans(): readonly ReadableSpan[] {
    return this.exporter.getFinishedSpans()
  }

  /** Waits for the first ended span of a name. */
  async span(name: string): Promise<ReadableSpan> {
    const find = (): ReadableSpan | undefined => this.spans.find((span) => span.name === name)
    await waitFor(find, { what: `the span ${name}` })
    const found = find()
    if (!found) throw new Error(`there is no span ${name}`)
    return found
  }

  remove(): void {
    trace.disable()
    context.disable()
    propagation.disable()
  }
}
