import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery, Reject, type TaskContext } from '../../lib/index.js'
import { reprArgs } from '../../lib/protocol/repr.js'
import { loadSettings } from '../../lib/settings/load.js'
import { Worker } from '../../lib/worker/worker.js'
import { Client } from '../support/client.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON as PYTHON_BIN } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { waitFor } from '../support/waitFor.js'

const brokerUrl = ownBroker()

type Seen = Record<string, unknown> & { type: string; hostname: string }

interface Story {
  readonly task: string
  readonly args?: readonly unknown[]
  readonly headers?: Record<string, unknown>
  /** Seconds until it is due. */
  readonly countdown?: number
  /** Has an ETA that is further away than the command takes. */
  readonly waits?: true
  /** What an operator does: before the message is sent, or once it has caused its first events. */
  readonly control?: { readonly command: readonly string[]; readonly after: number }
  /** The types of its events, without `task-`. */
  readonly told: readonly string[]
  /**
   * In Python a child sends the message of a retry before its parent tells of it, and we tell of it once the broker has confirmed the message:
   * whether it is received before that is chance.
   */
  readonly chance?: true
}

const STORIES: Readonly<Record<string, Story>> = {
  'a success': { task: 'events.add', args: [2, 3], told: ['received', 'started', 'succeeded'] },
  'a failure': { task: 'events.fail', args: ['boom'], told: ['received', 'started', 'failed'] },
  'a retry': {
    task: 'events.flaky',
    args: ['k'],
    told: ['received', 'started', 'retried', 'received', 'started', 'succeeded'],
    chance: true,
  },
  'one retry too many': { task: 'events.never', told: ['received', 'started', 'failed'] },
  'a reject': { task: 'events.drop', told: ['received', 'started', 'rejected'] },
  'a reject that requeues': {
    task: 'events.again',
    told: ['received', 'started', 'rejected', 'received', 'started', 'succeeded'],
  },
  'a reject of what is acknowledged': { task: 'events.drop_early', told: ['received', 'started'] },
  'a failure that is not acknowledged': {
    task: 'events.late_fail',
    told: ['received', 'started', 'rejected', 'failed'],
  },
  'a task that comes too late': {
    task: 'events.add',
    args: [1],
    headers: { expires: '2020-01-01T00:00:00+00:00' },
    told: ['revoked'],
  },
  'a task with an eta': { task: 'events.add', args: [1], countdown: 0.2, told: ['received', 'started', 'succeeded'] },
  'a task that is revoked before it comes': {
    task: 'events.add',
    args: [1],
    control: { command: ['revoke'], after: 0 },
    told: ['revoked'],
  },
  'a task that is revoked while it waits': {
    task: 'events.add',
    args: [1],
    waits: true,
    control: { command: ['revoke'], after: 1 },
    told: ['received', 'revoked'],
  },
  'a task that is terminated': {
    task: 'events.sleep',
    args: [60],
    control: { command: ['terminate', 'SIGTERM'], after: 2 },
    told: ['received', 'started', 'revoked'],
  },
  'an unknown task': { task: 'events.nobody', told: ['failed'] },
  'a task that wants no events': { task: 'events.muted', told: [] },
}

/** Not the `celery` beside it, which runs whatever Python comes first in the path. */
const HERE = fileURLToPath(new URL('.', import.meta.url))
const PYTHON = 'python@spec'
const OURS = 'w@spec'
/** What differs from run to run; of these the kind must be the same, of all else the value. */
const PASSING = new Set(['pid', 'clock', 'timestamp', 'local_received', 'hostname', 'runtime', 'traceback', 'eta'])

class KeyError extends Error {
  static readonly excType = 'KeyError'
}

/** The tasks of events.py. */
function sameTasks(): Celery {
  const app = new Celery('events')
  app.task('events.add', (x: number, y = 1) => x + y)
  app.task('events.fail', (message: string) => {
    throw new RangeError(message)
  })
  app.task('events.flaky', { bind: true, maxRetries: 1 }, (self: TaskContext, message: string) => {
    if (self.request.retries < 1) throw self.retry({ countdown: 0.1, exc: new KeyError(message) })
    return self.request.retries
  })
  app.task('events.never', { bind: true, maxRetries: 0 }, (self: TaskContext) => {
    throw self.retry({ countdown: 0.1, exc: new KeyError('never') })
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
  app.task('events.sleep', { bind: true }, (self: TaskContext, seconds: number) => {
    return new Promise((resolve, reject) => {
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
  let worker: Worker | null = null
  let env: NodeJS.ProcessEnv
  const queues = new Map<string, string>()
  const told: Array<{ id: string; story: Story }> = []

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
    for (const hostname of [PYTHON, OURS]) queues.set(hostname, await client.queue())
    env = { ...process.env, CELERY_BROKER_URL: brokerUrl(), PYTHONDONTWRITEBYTECODE: '1' }
    receiver = runProgram(PYTHON_BIN, ['events.py', brokerUrl()], { cwd: HERE, env })
    await receiver.waitForOutput(/^ready$/m)
    const python = runProgram(
      PYTHON_BIN,
      ['-m', 'celery', '-A', 'events', 'worker', '-E', '-c', '1', '-n', PYTHON, '-Q', queueOf(PYTHON), '-l', 'INFO'],
      { cwd: HERE, env },
    )
    await python.waitForOutput(/ ready\.$/m)
    await start()
  })

  afterAll(async () => {
    await worker?.stop()
    await killAllPrograms()
    await client.close()
  })

  async function start(): Promise<void> {
    const config = {
      broker_url: brokerUrl(),
      worker_send_task_events: true,
      task_send_sent_event: true,
      worker_concurrency: 1,
    }
    const { settings, faults } = loadSettings({ config, env: {}, flags: { queues: queueOf(OURS) } })
    expect(faults).toEqual([])
    const log = new MemoryLog()
    worker = new Worker({ app: sameTasks(), settings, nodename: OURS, log: () => log })
    await worker.start()
    await waitFor(() => log.of('INFO').includes(`${OURS} ready.`), {
      what: 'our worker to be ready',
    })
  }

  function queueOf(hostname: string): string {
    return queues.get(hostname) ?? ''
  }

  /** Everything that the receiver has said so far. */
  function seen(): Seen[] {
    const lines = receiver.stdout.split('\n').slice(0, -1)
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Seen)
  }

  function ofTask(hostname: string, id: string): Seen[] {
    return seen().filter((event) => event.hostname === hostname && event.uuid === id)
  }

  async function seenOfBoth(id: string, count: number): Promise<void> {
    const counts = (): number[] => [PYTHON, OURS].map((hostname) => ofTask(hostname, id).length)
    await waitFor(() => counts().every((each) => each >= count), {
      what: `${count} events of both workers about ${id}`,
    })
  }

  async function send(
    id: string,
    { args = [], countdown = 0, headers, task }: Story,
    waitsMs = countdown * 1000,
  ): Promise<void> {
    const eta = waitsMs === 0 ? null : new Date(Date.now() + waitsMs).toISOString()
    const sender = { argsrepr: reprArgs(args), kwargsrepr: '{}', parent_id: 'parent', root_id: 'root', eta }
    const message = taskMessage(task, { id, args, headers: { ...sender, ...headers } })
    for (const hostname of [PYTHON, OURS]) await client.publish(queueOf(hostname), [message])
  }

  async function operate(...command: string[]): Promise<string> {
    const celery = runProgram(PYTHON_BIN, ['-m', 'celery', '-b', brokerUrl(), 'control', ...command], { env })
    await celery.exited
    expect(celery.output).toContain(PYTHON)
    expect(celery.output).toContain(OURS)
    return celery.output
  }

  /** Milliseconds that are enough for a task to come and for the command to be given, however busy the machine is. */
  async function longerThan(command: readonly string[]): Promise<number> {
    const begun = Date.now()
    await operate(...command, randomUUID())
    return 1000 + 4 * (Date.now() - begun)
  }

  function lasting(event: Seen): Record<string, unknown> {
    const kind = (value: unknown): string => (value === null ? 'null' : typeof value)
    return Object.fromEntries(
      Object.entries(event).map(([key, value]) => [key, PASSING.has(key) ? kind(value) : value]),
    )
  }

  function inOrder(events: Record<string, unknown>[], { chance }: Story): unknown[] {
    return chance ? events.map((event) => JSON.stringify(Object.entries(event).sort())).sort() : events
  }

  it.each(Object.entries(STORIES))('tell the same of %s', async (_, story) => {
    const id = randomUUID()
    const { control } = story
    if (control?.after === 0) await operate(...control.command, id)
    await send(id, story, control && story.waits ? await longerThan(control.command) : undefined)
    if (control && control.after > 0) {
      await seenOfBoth(id, control.after)
      await operate(...control.command, id)
    }
    // Each worker runs one task at a time: when this one is done, so is the one before it.
    const next = randomUUID()
    await send(next, { task: 'events.add', args: [1], told: [] })
    await seenOfBoth(id, story.told.length)
    await seenOfBoth(next, 3)
    told.push({ id, story })

    const ours = ofTask(OURS, id)
    const types = ours.map(({ type }) => type)
    const expected = story.told.map((each) => `task-${each}`)
    if (story.chance) expect(types.toSorted()).toEqual(expected.toSorted())
    else expect(types).toEqual(expected)
    expect(inOrder(ours.map(lasting), story)).toEqual(inOrder(ofTask(PYTHON, id).map(lasting), story))
  })

  it('tell the same of a task that a task sends', async () => {
    for (const hostname of [PYTHON, OURS]) {
      await client.publish(queueOf(hostname), [
        taskMessage('events.parent', { id: hostname, args: [queueOf(hostname)] }),
      ])
    }
    const sent = (parent: string): Seen[] =>
      seen().filter(({ parent_id, type }) => type === 'task-sent' && parent_id === parent)
    await waitFor(() => sent(PYTHON).length > 0 && sent(OURS).length > 0, {
      what: 'both workers to tell of what their task has sent',
    })
    const own = ['uuid', 'root_id', 'parent_id', 'queue', 'routing_key']
    const shared = (event: Seen): unknown => Object.entries(lasting(event)).filter(([key]) => !own.includes(key))
    expect(sent(OURS).map(shared).map(String)).toEqual(sent(PYTHON).map(shared).map(String))
    expect(sent(OURS)).toEqual([
      expect.objectContaining({
        hostname: expect.stringMatching(/^gen\d+@/),
        root_id: OURS,
        queue: queueOf(OURS),
        routing_key: queueOf(OURS),
      }),
    ])
  })

  it('tell the same of the worker itself, apart from what it is', async () => {
    const heartbeats = (hostname: string): Seen[] =>
      seen().filter((event) => event.hostname === hostname && event.type === 'worker-heartbeat' && event.freq === 2)
    await waitFor(() => heartbeats(OURS).length > 0 && heartbeats(PYTHON).length > 0, {
      what: 'a heartbeat of both workers',
    })
    const kinds = (event: Seen | undefined): string[] =>
      Object.entries(event ?? {})
        .map(([key, value]) => `${key} ${typeof value}`)
        .sort()
    expect(kinds(heartbeats(OURS)[0])).toEqual(kinds(heartbeats(PYTHON)[0]))
    expect(heartbeats(OURS)[0]?.sw_sys).toBe(heartbeats(PYTHON)[0]?.sw_sys)
  })

  it('are turned off by remote control, also after -E, and on again', async () => {
    const [unseen, again] = [randomUUID(), randomUUID()]
    expect(await operate('disable_events')).toMatch(/w@spec: OK\s+task events disabled/)
    await send(unseen, { task: 'events.add', args: [1], told: [] })
    expect(await operate('enable_events')).toMatch(/w@spec: OK\s+task events enabled/)
    await send(again, { task: 'events.add', args: [1], told: [] })
    await seenOfBoth(again, 3)
    expect(ofTask(OURS, unseen)).toEqual([])
  })

  it('say that the worker goes before its last task ends, and that it is back', async () => {
    const id = randomUUID()
    await client.publish(queueOf(OURS), [taskMessage('events.sleep', { id, args: [1] })])
    await waitFor(() => ofTask(OURS, id).length === 2, { what: 'the task to start' })
    await worker?.stop()
    await waitFor(() => ofTask(OURS, id).length === 3, { what: 'the end of the last task' })
    await start()
    const types = (): string[] =>
      seen()
        .filter(({ hostname, type, uuid }) => hostname === OURS && type !== 'worker-heartbeat' && (uuid ?? id) === id)
        .map(({ type }) => type)
    await waitFor(() => types().at(-1) === 'worker-online', { what: 'the worker to be back' })
    expect(types()).toEqual([
      'worker-online',
      'task-received',
      'task-started',
      'worker-offline',
      'task-succeeded',
      'worker-online',
    ])
  })

  it('say nothing more of any task afterwards', () => {
    expect(told).toHaveLength(Object.keys(STORIES).length)
    for (const { id, story } of told) {
      for (const hostname of [PYTHON, OURS]) expect(ofTask(hostname, id)).toHaveLength(story.told.length)
    }
  })
})
