import { describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { framesOf, stackOf } from '../../lib/protocol/stack.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('the stack of a failure', () => {
  it("ends with the task's own code: the worker's frames below it are left out", async () => {
    const app = new OfflineApp('spec')
    const helper = async (self: TaskContext): Promise<void> => {
      await Promise.resolve()
      throw new RangeError(`too far in ${self.request.task}`)
    }
    app.task('fails', { bind: true }, async (self: TaskContext) => {
      await helper(self)
    })
    const backend = new MemoryBackend()
    const offline = new OfflineLine(app, { backend })
    offline.deliver('fails', { id: 'x' })
    for (let turn = 0; turn < 5; turn++) await offline.turn()
    const trace = (await backend.get('x'))?.traceback ?? ''
    expect(trace).toContain('stack.spec.ts')
    expect(trace).toContain('in helper')
    expect(trace).not.toContain('/lib/')
    expect(trace).not.toContain('node:')
    const { error } = offline.log.lines.find(({ level }) => level === 'ERROR')?.facts ?? {}
    expect(stackOf(error as Error)).toMatch(/^RangeError: too far in fails\n\s+at helper/)
    expect(stackOf(error as Error)).not.toContain('/lib/')
  })

  it('is whole where no code of the app is in it', () => {
    const error = new Error('inside')
    error.stack = `Error: inside\n    at one (file://${process.cwd()}/lib/line.ts:1:2)\n    at two (node:net:1:2)`
    expect(framesOf(error)).toHaveLength(2)
  })

  it("keeps what the task has called, ours and Node's too", () => {
    const error = new Error('inside')
    error.stack = [
      'Error: a message\n    at first sight like a frame',
      'of two lines',
      '    at connect (node:net:1:2)',
      `    at send (file://${process.cwd()}/lib/app/app.ts:1:2)`,
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
      '    at runNextTicks (node:internal/process/task_queues:60:5)',
      '    at process.processImmediate (node:internal/timers:454:9)',
      '    at process.callbackTrampoline (node:internal/async_hooks:130:17)',
      '    at mine (/srv/app.js:3:4)',
      `    at callTask (file://${process.cwd()}/lib/trace/call.ts:1:2)`,
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    ].join('\n')
    expect(framesOf(error).map((frame) => frame.trim().split(' ')[1])).toEqual(['connect', 'send', 'mine'])
    expect(stackOf(error)).toMatch(/^Error: a message\n {4}at first sight like a frame\nof two lines\n {4}at connect/)
  })

  it('is bounded, whatever the message', () => {
    const error = new Error('x'.repeat(10_000_000))
    expect(stackOf(error).length).toBeLessThan(200_000)
    expect(framesOf(error).length).toBeGreaterThan(0)
  })
})
