/* An app whose tasks call a service, and tell of the trace that they run in. */
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { Celery } from 'celeriac'

if (process.env.SPEC_TRACED === 'yes') {
  trace.setGlobalTracerProvider(new BasicTracerProvider())
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
}

const app = new Celery('service')

const call = app.breaker(
  'service',
  async (isAway: boolean): Promise<string> => {
    if (isAway) throw new RangeError('the service of amqp://me:secret@host is away')
    return 'here'
  },
  {
    volumeThreshold: 2,
    resetTimeoutMs: Number(process.env.SPEC_RESET_MS ?? 60_000),
    isFailure: (error) => error instanceof RangeError,
  },
)

app.task('service.call', (isAway: boolean) => call(isAway))
app.task('service.callThrice', async () => {
  for (let n = 0; n < 3; n++) await call(true).catch(() => undefined)
})
app.task('service.paused', { pauseWhileOpen: 'service' }, () => 'ran')
app.task('service.trace', () => {
  const carrier = {}
  propagation.inject(context.active(), carrier)
  return carrier
})

export default app
