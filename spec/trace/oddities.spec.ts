import { beforeEach, describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { ODDITIES } from '../support/oddities.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

/** What is thrown, returned or logged may throw itself when the worker looks at it: that costs its own task at most. */
describe('a value that throws when it is looked at', () => {
  let app: OfflineApp
  let backend: MemoryBackend
  let offline: OfflineLine
  let make: () => unknown
  let ran: string[]

  beforeEach(() => {
    ran = []
    app = new OfflineApp('spec')
    backend = new MemoryBackend()
    app.task('early', () => {
      throw make()
    })
    app.task('late', { acksLate: true }, () => {
      throw make()
    })
    app.task('keyed', { acksLate: true, orderBy: 'kwargs.key', params: ['key'] }, (_key: string) => {
      throw make()
    })
    app.task('auto', { autoretryFor: [RangeError], throws: [TypeError] }, () => {
      throw make()
    })
    app.task('returns', () => make())
    app.task('retries', { bind: true }, (self: TaskContext) => {
      throw self.retry({ exc: make() as Error, countdown: 5 })
    })
    app.task('gives up', { bind: true, maxRetries: 0 }, (self: TaskContext) => {
      throw self.retry({ exc: make() as Error })
    })
    app.task('logs', { bind: true }, (self: TaskContext) => {
      self.log.info(make() as string, make() as Record<string, unknown>)
      self.log.error('with an error', { error: make() })
    })
    app.task('state', { bind: true }, (self: TaskContext) => self.updateState({ state: 'PROGRESS', meta: make() }))
    app.task('next', (name: string) => void ran.push(name))
    offline = new OfflineLine(app, { slots: 1, backend })
  })

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await offline.turn()
  }

  describe.each(Object.entries(ODDITIES))('%s', (what, oddity) => {
    beforeEach(() => {
      make = oddity
    })

    it.each(['early', 'late', 'auto', 'gives up'])('that a task throws is its failure (%s)', async (task) => {
      const delivery = offline.deliver(task, { id: 'odd' })
      offline.deliver('next', { args: ['after'] })
      await settle()
      expect((await backend.get('odd'))?.status).toBe('FAILURE')
      expect(delivery.settledBy).toBe('ack')
      expect(ran).toEqual(['after'])
      await offline.line.idle()
    })

    it('frees the lane of its key', async () => {
      offline.deliver('keyed', { kwargs: { key: 'k' } })
      const second = offline.deliver('keyed', { kwargs: { key: 'k' } })
      await settle()
      expect(second.settledBy).toBe('ack')
      await offline.line.idle()
    })

    it.each(['returns', 'retries', 'logs', 'state'])('comes to an end when a task %s with it', async (task) => {
      offline.deliver(task, { id: 'odd' })
      offline.deliver('next', { args: ['after'] })
      await settle()
      expect((await backend.get('odd'))?.status).toMatch(/^(SUCCESS|FAILURE|RETRY)$/)
      expect(ran).toEqual(['after'])
      expect(offline.log.of('CRITICAL')).toEqual([])
      await offline.line.idle()
    })

    it(`leaves a text that says something (${what})`, async () => {
      offline.deliver('early', { id: 'odd' })
      await settle()
      const [line = ''] = offline.log.of('ERROR')
      expect(line).toMatch(/^Task early\[odd\] raised unexpected: /)
      expect(line.length).toBeLessThan(2000)
    })
  })

  it('of an error class decides nothing: the task fails with what it threw as the cause', async () => {
    class Odd extends Error {
      static override [Symbol.hasInstance](): boolean {
        throw Object.create(null)
      }
    }
    make = () => new RangeError('the first fault')
    app.task('classes', { autoretryFor: [Odd] }, () => {
      throw make()
    })
    offline.deliver('classes', { id: 'odd' })
    await settle()
    const meta = await backend.get('odd')
    expect(meta?.status).toBe('FAILURE')
    expect(meta?.result).toMatchObject({ exc_type: 'TypeError' })
    expect(meta?.traceback).toContain('the first fault')
    await offline.line.idle()
  })

  it('in an order key rejects the message, and nothing else', async () => {
    for (const [at, [, oddity]] of Object.entries(ODDITIES).entries()) {
      app.task(
        `thrower ${at}`,
        {
          orderBy: () => {
            throw oddity()
          },
        },
        () => undefined,
      )
      app.task(`returner ${at}`, { orderBy: () => oddity() as string }, () => undefined)
      expect(() => offline.deliver(`thrower ${at}`)).not.toThrow()
      expect(() => offline.deliver(`returner ${at}`)).not.toThrow()
    }
    offline.deliver('next', { args: ['after'] })
    await settle()
    expect(ran).toEqual(['after'])
  })
})
