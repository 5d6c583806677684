import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Notifier, type SupervisedWorker, takeSupervisor } from '../../../lib/cli/worker/notify.js'
import { STOPPING } from '../../../lib/component.js'
import { Client } from '../../support/client.js'
import { FakeClock } from '../../support/fakeClock.js'
import { type Link, openLink, through } from '../../support/link.js'
import { MemoryLog } from '../../support/memoryLog.js'
import { taskMessage } from '../../support/message.js'
import { killAllPrograms, type Program, runProgram } from '../../support/program.js'
import { brokerUrl } from '../../support/services.js'
import { readSteps } from '../../support/steps.js'
import { Supervisor } from '../../support/supervisor.js'
import { waitFor } from '../../support/waitFor.js'
import { ROOT } from '../../support/workerProgram.js'

describe('a supervisor', () => {
  const ENV = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7', HOME: '/root' }

  it('is read from the environment, which then holds nothing of it', () => {
    const env = { ...ENV }
    expect(takeSupervisor(env, 7)).toEqual({
      socket: '/run/notify',
      watchdogMs: 60_000,
      env: { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '60000000' },
    })
    expect(env).toEqual({ HOME: '/root' })
  })

  it('does not watch a process whose watchdog is meant for another', () => {
    expect(takeSupervisor({ ...ENV }, 8)).toMatchObject({ watchdogMs: null, env: { NOTIFY_SOCKET: '/run/notify' } })
  })

  it.each([{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '60000000' }])('is absent from %j', (env) => {
    expect(takeSupervisor(env, 7)).toBeNull()
  })
})

describe('the notifier', () => {
  let clock: FakeClock
  let log: MemoryLog
  let readiness: string[]
  let queues: string[]
  let busy: number
  let sent: string[][]
  let restarting: boolean
  let send: (fields: readonly string[]) => Promise<void>

  beforeEach(() => {
    clock = new FakeClock()
    log = new MemoryLog()
    readiness = ['no broker']
    queues = ['a', 'b']
    busy = 0
    sent = []
    restarting = false
    send = async (fields) => void sent.push([...fields])
  })

  function start(watchdogMs: number | null = null): Notifier {
    const worker: SupervisedWorker = {
      get readiness() {
        return readiness
      },
      line: {
        pool: {
          get busy() {
            return busy
          },
          size: 4,
        },
        state: { parked: 1, running: [] },
      },
    }
    const notifier = new Notifier({
      worker,
      queues,
      watchdogMs,
      clock,
      log,
      isRestart: () => restarting,
      send: (fields) => send(fields),
    })
    notifier.start()
    return notifier
  }

  /** What is sent within so many milliseconds. */
  async function within(ms: number): Promise<string[][]> {
    sent = []
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50)
      await new Promise(setImmediate)
    }
    return sent
  }

  it('says READY once nothing keeps the worker from being ready, and only once', async () => {
    start()
    await new Promise(setImmediate)
    expect(sent).toEqual([['STATUS=Not ready, no broker; 0 of 4 slots busy, 1 parked; queues: a, b']])
    readiness = []
    expect(await within(300)).toEqual([['READY=1', 'STATUS=0 of 4 slots busy, 1 parked; queues: a, b']])
    readiness = ['no broker']
    expect(await within(300)).toEqual([['STATUS=Not ready, no broker; 0 of 4 slots busy, 1 parked; queues: a, b']])
    readiness = []
    expect(await within(300)).toEqual([['STATUS=0 of 4 slots busy, 1 parked; queues: a, b']])
  })

  it('sends READY and WATCHDOG in messages that systemd reads, however many queues and reasons there are', async () => {
    queues = Array.from({ length: 1000 }, (_, at) => `очередь-${at}`)
    readiness = queues.map((queue) => `queue ${queue} is refused\nREADY=1`)
    start(60_000)
    await new Promise(setImmediate)
    const first = sent
    readiness = []
    const messages = [...first, ...(await within(300))]
    expect(messages.some((fields) => fields.includes('READY=1'))).toBe(true)
    const sizes = messages.map((fields) => Buffer.byteLength(fields.join('\n')))
    expect(Math.max(...sizes)).toBeLessThan(4096)
    expect(messages.flat().filter((field) => field.includes('\n'))).toEqual([])
  })

  it('tells the numbers every ten seconds', async () => {
    readiness = []
    start()
    await within(100)
    busy = 3
    expect(await within(9500)).toEqual([])
    expect(await within(1000)).toEqual([['STATUS=3 of 4 slots busy, 1 parked; queues: a, b']])
  })

  it('says WATCHDOG twice in the time that it is allowed', async () => {
    readiness = []
    start(1000)
    await new Promise(setImmediate)
    expect(sent[0]).toContain('WATCHDOG=1')
    expect(await within(2000)).toEqual([['WATCHDOG=1'], ['WATCHDOG=1'], ['WATCHDOG=1'], ['WATCHDOG=1']])
  })

  it('says STOPPING when the worker begins to stop, and nothing after its end', async () => {
    readiness = []
    const notifier = start(1000)
    await within(100)
    readiness = [STOPPING]
    expect((await within(300)).flat()).toContain('STOPPING=1')
    await notifier.stop()
    expect(await within(5000)).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('says STOPPING before it ends, however soon that is', async () => {
    const notifier = start()
    await notifier.stop()
    expect(sent.flat()).toContain('STOPPING=1')
  })

  it('says RELOADING when the worker stops to start again, and STOPPING if it does not after all', async () => {
    readiness = []
    start()
    await within(100)
    restarting = true
    readiness = [STOPPING]
    expect((await within(300)).flat()).toEqual(['RELOADING=1', expect.stringContaining('STATUS=Not ready, it is')])
    restarting = false
    expect(await within(300)).toEqual([['STOPPING=1']])
  })

  it('sends one message at a time, and what came up meanwhile together', async () => {
    const ends: Array<() => void> = []
    send = (fields) => {
      sent.push([...fields])
      return new Promise((resolve) => ends.push(resolve))
    }
    start(1000)
    await within(100)
    readiness = []
    expect(await within(3000)).toEqual([])
    ends[0]?.()
    await new Promise(setImmediate)
    expect(sent).toEqual([['READY=1', 'STATUS=0 of 4 slots busy, 1 parked; queues: a, b', 'WATCHDOG=1']])
  })

  it('warns of a message that does not get through once, and goes on', async () => {
    let tries = 0
    send = async () => {
      tries++
      throw new Error('spawn systemd-notify ENOENT')
    }
    start(1000)
    await within(3000)
    expect(tries).toBeGreaterThan(3)
    expect(log.of('WARNING')).toEqual(['Could not notify the service manager: spawn systemd-notify ENOENT'])
  })
})

describe('a worker under a supervisor that speaks sd_notify', () => {
  const WATCHDOG_MS = 600
  let client: Client
  let queue: string
  let link: Link
  let dir: string
  let trace: string
  let supervisor: Supervisor
  let worker: Program

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    link = await openLink(Number(new URL(brokerUrl()).port))
    dir = await mkdtemp(join(tmpdir(), 'celeriac-notify-'))
    trace = join(dir, 'steps.jsonl')
    supervisor = await Supervisor.start(dir)
  })

  afterEach(async () => {
    await killAllPrograms()
    await link.close()
    await client.close()
    await rm(dir, { recursive: true })
  })

  function startWorker(): void {
    const url = through(brokerUrl(), link.port)
    const args = ['-A', 'build/apps/steps.js', '-b', url, 'worker', '-l', 'INFO', '-c', '2', '-Q', queue]
    worker = runProgram(process.execPath, ['bin/celeriac.js', ...args], {
      cwd: ROOT,
      env: {
        ...process.env,
        STEPS_TRACE: trace,
        NOTIFY_SOCKET: supervisor.socket,
        WATCHDOG_USEC: String(WATCHDOG_MS * 1000),
      },
    })
  }

  it('is READY only once it consumes, STOPPING when told to stop, and says meanwhile how it is', async () => {
    link.refuse()
    startWorker()
    await worker.waitForOutput(/Cannot connect to/)
    await supervisor.heard('STATUS', /Not ready, it takes no messages: not connected to the broker/)
    await waitFor(() => supervisor.timesOf('WATCHDOG').length > 3, { what: 'signs of life' })
    expect(supervisor.timesOf('READY')).toEqual([])

    const brokerAt = Date.now()
    link.accept()
    await supervisor.heard('READY', /1/)
    await worker.waitForOutput(/ ready\.$/m)
    expect(supervisor.timesOf('READY')[0]).toBeGreaterThan(brokerAt)
    await supervisor.heard('STATUS', /0 of 2 slots busy, 0 parked; queues: spec/)

    const kwargs = { n: 0, key: 'k', ms: 1500 }
    await client.publish(queue, [taskMessage('steps.step', { kwargs })])
    await waitFor(() => readSteps(trace).length === 1, { what: 'the task to begin' })
    worker.kill('SIGTERM')
    await supervisor.heard('STOPPING', /1/)
    // The task runs on, and so do the signs of life.
    expect(readSteps(trace)).toHaveLength(1)
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(readSteps(trace)).toHaveLength(2)
    const all = supervisor.notices.flatMap(({ fields }) => Object.keys(fields))
    expect(all.filter((field) => field !== 'WATCHDOG' && field !== 'STATUS')).toEqual(['READY', 'STOPPING'])
  })

  it('gives no sign of life while its event loop hangs', async () => {
    startWorker()
    await supervisor.heard('READY', /1/)
    await client.publish(queue, [taskMessage('steps.hang', { kwargs: { n: 0, ms: 4 * WATCHDOG_MS } })])
    await waitFor(() => readSteps(trace).length === 2, { what: 'the task to end' })
    const [begin, end] = readSteps(trace).map(({ at }) => at)
    if (begin === undefined || end === undefined) throw new Error('no steps')
    const heard = (): number[] => supervisor.timesOf('WATCHDOG')
    await waitFor(() => heard().some((at) => at > end), { what: 'life after the hang' })
    // One may have been under way when it began.
    const silent = heard().filter((at) => at > begin + WATCHDOG_MS / 2 && at < end)
    expect(silent).toEqual([])
    const before = heard().filter((at) => at <= begin + WATCHDOG_MS / 2)
    expect(end - Math.max(...before)).toBeGreaterThan(2 * WATCHDOG_MS)
  })
})
