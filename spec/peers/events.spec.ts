import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery, Reject, type TaskContext } from '../../lib/index.js'
import type { Worker } from '../../lib/worker.js'
import { Client } from '../support/client.js'
import { startWorker } from '../support/inProcessWorker.js'
import { type MessageOptions, taskMessage } from '../support/message.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { randomQueue } from '../support/randomName.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

type Seen = Record<string, unknown> & { type: string; hostname: string }

const HERE = fileURLToPath(new URL('.', import.meta.url))
const PYTHON = 'python@spec'
const OURS = 'w@spec'
/** Numbers that no two runs share; what is left of an event must be the same. */
const OF_THE_RUN = ['pid', 'clock', 'timestamp', 'local_received', 'hostname', 'runtime', 'traceback', 'eta']
/** Each task's whole story in Python: a type, or a type and what else it must say. */
const STORIES: Record<string, { task: string; message?: MessageOptions; types: string[]; do?: 'revoke' | 'terminate' }> = {
  success: { task: 'events.add', message: { args: [2], kwargs: { y: 3 } }, types: ['received', 'started', 'succeeded'] },
  failure: { task: 'events.fail', message: { args: ['boom'] }, types: ['received', 'started', 'failed'] },
  retry: {
    task: 'events.flaky',
    message: { args: ['k'] },
    types: ['received', 'started', 'retried', 'received', 'started', 'succeeded'],
  },
  'a retry too many': { task: 'events.never', types: ['received', 'started', 'failed'] },
  'a late reject': { task: 'events.drop', types: ['received', 'started', 'rejected'] },
  'a late reject that goes back to the queue': {
    task: 'events.again',
    types: ['received', 'started', 'rejected', 'received', 'started', 'succeeded'],
  },
  'an early reject': { task: 'events.drop_early', types: ['received', 'started'] },
  'a failure that rejects': { task: 'events.late_fail', types: ['received', 'started', 'rejected', 'failed'] },
  expiry: {
    task: 'events.add',
    message: { args: [1], headers: { expires: '2020-01-01T00:00:00+00:00' } },
    types: ['revoked'],
  },
  'an eta': {
    task: 'events.add',
    message: { args: [1], headers: { eta: '2020-01-01T00:00:00.250000+00:00', argsrepr: '(1,)', kwargsrepr: '{}' } },
    types: ['received', 'started', 'succeeded'],
  },
  revocation: { task: 'events.sleep', message: { args: [0] }, types: ['received', 'revoked'], do: 'revoke' },
  termination: { task: 'events.sleep', message: { args: [30] }, types: ['received', 'started', 'revoked'], do: 'terminate' },
  'an unknown task': { task: 'events.nobody', types: ['failed'] },
  'a task that wants no events': { task: 'events.muted', types: [] },
}

class KeyError extends Error {
  static readonly excType = 'KeyError'
}

function app(): Celery {
  const app = new Celery('events', {})
  app.task('events.add', { params: ['x', 'y'] }, (x: number, y = 1) => x + y)
  app.task('events.fail', (message: string) => {
    throw new RangeError(message)
  })
  app.task('events.flaky', { bind: true, maxRetries: 1 }, (self: TaskContext, message: string) => {
    if (self.request.retries < 1) throw self.retry({ countdown: 0.1, exc: new KeyError(message) })
    return self.request.retries
  })
  app.task('events.never', { bind: true, maxRetries: 0 }, (self: TaskContext) => {
    throw self.retry({ countdown: 0.1 })
  })
  app.task('events.drop', { acksLate: true }, () => {
    throw new Reject('no')
  })
  app.task('events.again', { acksLate: true, bind: true }, (self: TaskContext) => {
    if (!self.request.deliveryInfo.redelivered) throw new Reject('once more', true)
    return 'done'
  })
  app.task('events.drop_early', () => {
    throw new Reject('too late')
  })
  app.task('events.late_fail', { acksLate: true, acksOnFailureOrTimeout: false }, () => {
    throw new RangeError('late')
  })
  app.task('events.sleep', { bind: true }, async (self: TaskContext, seconds: number) => {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, seconds * 1000)
      self.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(self.signal.reason)
      })
    })
  })
  app.task('events.muted', { sendEvents: false }, () => null)
  app.task('events.parent', async (queue: string) => {
    await app.sendTask('events.add', [1, 2], {}, { queue })
  })
  return app
}

describe("events, as Python's own receiver sees them of a Python worker and of ours", () => {
  let client: Client
  let receiver: Program
  let python: Program
  let worker: Worker
  const queues = { [PYTHON]: '', [OURS]: '' }

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    queues[PYTHON] = await client.queue()
    queues[OURS] = await client.queue()
    const env = { ...process.env, CELERY_BROKER_URL: brokerUrl(), PYTHONPATH: HERE, PYTHONDONTWRITEBYTECODE: '1' }
    receiver = runProgram('/usr/bin/python3', ['events.py', brokerUrl()], { cwd: HERE, env })
    await receiver.waitForOutput(/^ready$/m)
    python = runProgram(
      '/usr/bin/celery',
      ['-A', 'events', 'worker', '-E', '-c', '2', '-n', PYTHON, '-Q', queues[PYTHON], '-l', 'INFO'],
      { cwd: HERE, env },
    )
    await python.waitForOutput(/ ready\.$/m)
    const started = await startWorker(app(), brokerUrl(), queues[OURS], {
      worker_send_task_events: true,
      task_send_sent_event: true,
    })
    worker = started.worker
  }, 60_000)

  afterAll(async () => {
    await worker.stop()
    await killAllPrograms()
    await client.close()
  })

  function seen(): Seen[] {
    return receiver.stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Seen)
  }

  const of = (hostname: string, uuid: string): Seen[] =>
    seen().filter((event) => event.hostname === hostname && event.uuid === uuid)

  const control = (method: string, args: Record<string, unknown>): Promise<void> =>
    client.broadcast(method, args)

  /** What is the same in every run. */
  function lasting(event: Seen): Record<string, unknown> {
    return Object.fromEntries(Object.entries(event).filter(([key]) => !OF_THE_RUN.includes(key)))
  }

  it.each(Object.entries(STORIES))('are the same for %s', async (_, story) => {
    const id = randomUUID()
    const { properties, content } = taskMessage(story.task, {
      id,
      ...story.message,
      headers: { argsrepr: 'ARGS', kwargsrepr: 'KWARGS', ...story.message?.headers },
    })
    if (story.do === 'revoke') await control('revoke', { task_id: [id] })
    for (const hostname of [PYTHON, OURS]) {
      // Behind it, so that its own story is over when this one's is, even if nothing is told of it.
      await client.publish(queues[hostname as keyof typeof queues], [{ properties, content }])
    }
  })
})
