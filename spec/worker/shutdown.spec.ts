import { beforeEach, describe, expect, it } from '@jest/globals'
import { loadSettings } from '../../lib/settings/load.js'
import { StopLimit } from '../../lib/stopLimit.js'
import { Shutdown } from '../../lib/worker/shutdown.js'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('the shutdown of a worker', () => {
  let gated: Gated
  let offline: OfflineLine
  let steps: string[]

  beforeEach(() => {
    const app = new OfflineApp('spec')
    gated = new Gated()
    app.task('spec.wait', { acksLate: true }, gated.run)
    offline = new OfflineLine(app)
    steps = []
  })

  function create(config: Record<string, unknown> = {}, close = async (): Promise<void> => undefined): Shutdown {
    return new Shutdown({
      settings: loadSettings({ config, env: {}, flags: {} }).settings,
      clock: offline.clock,
      log: offline.log,
      line: offline.line,
      stopLimit: new StopLimit(offline.clock, 10_000),
      consumer: {
        close: () => {
          steps.push('close')
          return close()
        },
      },
      onBegin: () => void steps.push('begin'),
      finish: async () => void steps.push('finish'),
    })
  }

  it('ends once what runs has ended, each step once however often it is asked for', async () => {
    const shutdown = create()
    offline.deliver('spec.wait', { args: ['a'] })
    expect(shutdown.begun).toBe(false)
    const stops = [shutdown.stop(), shutdown.stop()]
    expect(shutdown.begun).toBe(true)
    await offline.turn()
    expect(steps).toEqual(['begin', 'close'])
    gated.end('a')
    await Promise.all(stops)
    expect(steps).toEqual(['begin', 'close', 'finish'])
    expect(await shutdown.ended).toEqual({ code: 0 })
  })

  it('goes on when the consumers can no longer be cancelled', async () => {
    const shutdown = create({}, async () => {
      throw new Error('the channel is closed')
    })
    await shutdown.stop()
    expect(offline.log.of('WARNING')).toEqual(["Consumers weren't cancelled: the channel is closed"])
    expect(steps).toContain('finish')
  })

  it('goes on without the word of a broker that does not confirm that the consumers are cancelled', async () => {
    const shutdown = create({}, () => new Promise(() => undefined))
    const stop = shutdown.stop()
    offline.clock.advance(4_999)
    await offline.turn()
    expect(steps).toEqual(['begin', 'close'])
    offline.clock.advance(1)
    await stop
    expect(steps).toEqual(['begin', 'close', 'finish'])
    expect(offline.log.of('WARNING')).toEqual([
      'The broker did not confirm within 5 s that the consumers are cancelled; the worker stops without it',
    ])
  })

  it('ends with 1 after an error that can’t be recovered from', async () => {
    const shutdown = create()
    shutdown.fail()
    expect(await shutdown.ended).toEqual({ code: 1 })
  })

  it('when cold, gives what runs a last half second, and no more', async () => {
    const shutdown = create()
    offline.deliver('spec.wait', { args: ['a'] })
    await offline.turn()
    const cold = shutdown.terminate()
    await offline.turn()
    expect(steps).toEqual(['begin', 'close'])
    offline.clock.advance(500)
    await cold
    expect(steps).toEqual(['begin', 'close', 'finish'])
    expect(await shutdown.ended).toEqual({ code: 0 })
  })

  it('when soft, waits for worker_soft_shutdown_timeout first', async () => {
    const shutdown = create({ worker_soft_shutdown_timeout: 3 })
    offline.deliver('spec.wait', { args: ['a'] })
    await offline.turn()
    const cold = shutdown.terminate()
    await offline.turn()
    expect(offline.log.of('WARNING')).toEqual(['Initiating Soft Shutdown, terminating in 3 seconds'])
    offline.clock.advance(2_999)
    await offline.turn()
    expect([...offline.line.state.running][0]?.aborted).toBe(false)
    offline.clock.advance(1)
    await offline.turn()
    expect([...offline.line.state.running][0]?.aborted).toBe(true)
    offline.clock.advance(500)
    await cold
    expect(steps).toContain('finish')
  })
})
