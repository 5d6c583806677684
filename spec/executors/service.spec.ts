import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Breakers } from '../../lib/app/breakers.js'
import { createBreaker } from '../../lib/breaker.js'
import { preforkPool } from '../../lib/executors/prefork.js'
import { threadsPool } from '../../lib/executors/threads.js'
import { startSpan } from '../../lib/tracing.js'
import app from '../apps/service.js'
import { Tracer } from '../support/tracer.js'
import { APP, type MakePool, PoolHarness } from './poolHarness.js'

const KINDS: ReadonlyArray<[string, MakePool]> = [
  ['prefork', preforkPool],
  ['threads', threadsPool],
]

describe.each(KINDS)('tasks of the %s pool', (_, make) => {
  let tracer: Tracer
  let pool: PoolHarness
  let breakers: Breakers
  let calls: Array<string | null>

  beforeEach(async () => {
    tracer = new Tracer()
    calls = []
    breakers = new Breakers()
    const breaker = createBreaker('service', async () => undefined, { volumeThreshold: 9, resetTimeoutMs: 60_000 })
    breaker.onCall((failure) => calls.push(failure ? failure.message : null))
    breakers.add(breaker)
    pool = await PoolHarness.start(make, {
      source: { specifier: APP.replace('cpu.js', 'service.js'), cwd: process.cwd(), include: [] },
      env: { SPEC_TRACED: 'yes' },
      breakers,
    })
  })
  afterEach(async () => {
    tracer.remove()
    await pool.pool.stop()
  })

  const call = (isAway: boolean) => pool.run('service.call', [isAway], { app })

  it('tell the worker of the calls that their breakers guarded, once, and not of those that they refused', async () => {
    expect(await call(false)).toMatchObject({ state: 'SUCCESS', result: 'here' })
    await pool.run('service.trace', [], { app })
    await pool.run('service.callThrice', [], { app })
    await new Promise(setImmediate)
    const failure = 'the service of amqp://me:**@host is away'
    expect(calls).toEqual([null, failure, failure])
  })

  it("follow the worker's breakers", async () => {
    const refused = { state: 'FAILURE', error: { name: 'BreakerOpen' } }
    breakers.get('service')?.follow('open')
    expect(await call(false)).toMatchObject(refused)
    breakers.get('service')?.follow('closed')
    expect(await call(false)).toMatchObject({ state: 'SUCCESS' })
    await pool.run('service.callThrice', [], { app })
    expect(await call(false)).toMatchObject({ state: 'SUCCESS' })
  })

  it('are part of the trace of their run', async () => {
    const span = startSpan('run/service.trace', 'consumer', {})
    const traced = await span.within(() => pool.run('service.trace', [], { app }))
    expect(traced).toMatchObject({ state: 'SUCCESS', result: span.carrier })
    expect(Object.keys(span.carrier)).toEqual(['traceparent'])
    expect(await pool.run('service.trace', [], { app })).toMatchObject({ state: 'SUCCESS', result: {} })
  })
})
