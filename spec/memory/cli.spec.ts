import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { main } from '../../lib/cli/main.js'
import { fakeIo } from '../support/fakeIo.js'
import { MemoryWorker } from '../support/memoryWorker.js'

describe('the command line in the process of a worker on memory://', () => {
  let here: MemoryWorker
  let out: string
  let err: string

  beforeEach(async () => {
    out = ''
    err = ''
    here = await MemoryWorker.start((app) => app.task('add', (a: number, b: number) => a + b))
  })

  afterEach(() => here.stop())

  const run = (...argv: string[]): Promise<number> => {
    const into = (take: (text: string) => void): Writable =>
      new Writable({
        write(chunk, _encoding, done) {
          take(String(chunk))
          done()
        },
      })
    const io = fakeIo({
      stdout: into((text) => {
        out += text
      }),
      stderr: into((text) => {
        err += text
      }),
    })
    const own = ['-b', here.brokerUrl, '--result-backend', 'cache+memory://', '-C']
    return main([...own, ...argv], io)
  }

  it('asks it', async () => {
    expect(await run('inspect', 'ping', '-d', here.worker.name)).toBe(0)
    expect(out).toContain(`${here.worker.name}: OK`)
    expect(await run('control', 'rate_limit', 'add', '100/s', '-d', here.worker.name)).toBe(0)
    expect(out).toContain('new rate limit set successfully')
  })

  it('calls a task and prints its result', async () => {
    expect(await run('call', 'add', '-a', '[20, 22]')).toBe(0)
    const id = out.trim()
    expect(await run('result', id)).toBe(0)
    expect(out).toBe(`${id}\n42\n`)
  })

  it('purges', async () => {
    await here.app.sendTask('add', [1, 2], {}, { queue: 'elsewhere' })
    expect(await run('purge', '-f', '-Q', 'elsewhere')).toBe(0)
    expect(out).toBe('Purged 1 message from 1 known task queue.\n')
  })

  it('lists no bindings, which only RabbitMQ tells', async () => {
    expect(await run('list', 'bindings')).toBe(2)
    expect(err).toContain('Your transport cannot list bindings.')
  })
})
