import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { live } from '../../../lib/cli/worker/live.js'
import { deferred } from '../../../lib/listeners.js'
import { createLog } from '../../../lib/log/log.js'
import { loadSettings } from '../../../lib/settings/load.js'
import { fakeIo, IDLE } from '../../support/fakeIo.js'

describe('a worker that gets USR1', () => {
  it('shows what runs, a line for each task whatever its id', async () => {
    const stream = new PassThrough({ encoding: 'utf8' })
    const log = createLog({
      level: 'INFO',
      format: 'celery',
      color: false,
      template: '%(message)s',
      secrets: [],
      stream,
    })
    const signals = new EventEmitter()
    const ended = deferred<{ code: number }>()
    const running = ['spec.add[1]', 'spec.add[2\n3]'].map((label) => ({ label, startedAt: null }))
    const worker = {
      ...IDLE,
      line: { pool: { busy: 2, size: 4 }, state: { parked: 0, running } },
      start: async () => undefined,
      stop: async () => undefined,
      terminate: async () => undefined,
      ended: ended.promise,
    }
    const { settings } = loadSettings({ config: {}, env: {}, flags: {} })
    const early = { held: null, release: () => undefined }
    const living = live(worker, { io: fakeIo({ signals }), log, settings, supervisor: null, early })
    signals.emit('SIGUSR1')
    ended.resolve({ code: 0 })
    await living
    await log.close()
    expect(stream.read()).toBe('2 of 4 slots run a task:\n  spec.add[1]\n  spec.add[2\\n3]\n')
  })
})
