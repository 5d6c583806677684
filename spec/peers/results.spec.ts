import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program } from '../support/program.js'
import { bestOf } from '../support/rounds.js'
import { brokerUrl, redisUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'

interface Step {
  readonly do?: 'get' | 'revoke'
  readonly task: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Record<string, unknown>
  readonly options?: Record<string, unknown>
  readonly timeout?: number
  /** Another one than the worker's. */
  readonly queue?: string
  /** Seconds between the sending and the revoke. */
  readonly running?: boolean
  readonly terminate?: boolean
}

interface Seen {
  readonly value?: unknown
  readonly type?: string
  readonly module?: string
  readonly args?: readonly string[]
  readonly states: readonly string[]
  readonly seconds: number
  readonly late?: number
}

const SCRIPT = fileURLToPath(new URL('client.py', import.meta.url))

describe.each(['redis', 'rpc'])("results over %s, as Python's own client sees them", (kind) => {
  let client: Client
  let queue: string
  let backend: string
  let worker: Program

  beforeAll(async () => {
    backend = kind === 'redis' ? redisUrl() : 'rpc://'
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    worker = await startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/peers.js',
      args: ['-Q', queue],
      env: { CELERY_RESULT_BACKEND: backend },
    })
  })

  afterAll(async () => {
    await killAllPrograms()
    await client.close()
  })

  async function run(steps: readonly Step[]): Promise<Seen[]> {
    const python = spawn(PYTHON, [SCRIPT, brokerUrl(), backend, queue], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    python.stdin.end(JSON.stringify(steps.map((step) => ({ do: 'get', ...step }))))
    const [output] = await Promise.all([text(python.stdout), once(python, 'exit')])
    const seen = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Seen)
    expect(seen).toHaveLength(steps.length)
    return seen
  }

  it('brings values of every JSON type there and back', async () => {
    const values = [
      null,
      true,
      0,
      -1.5,
      1e300,
      '',
      'é 漢 🥕 \u0000',
      [],
      {},
      [1, [2, { a: null }]],
      { k: { n: [1.25] } },
      'x'.repeat(1_000_000),
    ]
    const seen = await run(values.map((value) => ({ task: 'peers.echo', args: [value] })))
    expect(seen.map(({ value }) => value)).toEqual(values)
  })

  it('keeps an integer past 2^53, which it got as text to be safe in this spec too', async () => {
    const python = spawn(PYTHON, [SCRIPT, brokerUrl(), backend, queue], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    python.stdin.end('[{"do": "get", "task": "peers.echo", "args": [1152921504606846977]}]')
    const [output] = await Promise.all([text(python.stdout), once(python, 'exit')])
    expect(output).toContain('"value": 1152921504606846977')
  })

  it('binds arguments as Python does, and complains in its words', async () => {
    const [named, defaulted, missing, unexpected] = await run([
      { task: 'peers.add', args: [1], kwargs: { y: 5 } },
      { task: 'peers.add', args: [1] },
      { task: 'peers.add' },
      { task: 'peers.add', args: [1], kwargs: { z: 1 } },
    ])
    expect([named?.value, defaulted?.value]).toEqual([6, 11])
    expect(missing).toMatchObject({ type: 'TypeError', module: 'builtins' })
    expect(missing?.args?.[0]).toContain("add() missing 1 required positional argument: 'x'")
    expect(unexpected?.args?.[0]).toContain("add() got an unexpected keyword argument 'z'")
  })

  it('raises exceptions again with their type and message', async () => {
    const seen = await run(
      ['TypeError', 'RangeError', 'PaymentError', 'Error'].map((type) => ({
        task: 'peers.fail',
        args: [type, 'boom'],
      })),
    )
    expect(seen.map(({ type, args }) => [type, args])).toEqual([
      ['TypeError', ["'boom'"]],
      ['ValueError', ["'boom'"]],
      ['PaymentError', ["'boom'"]],
      ['Exception', ["'boom'"]],
    ])
  })

  it('retries until it succeeds, or until the retries are used up', async () => {
    const [good, bad] = await run([{ task: 'peers.flaky', args: [3] }, { task: 'peers.never' }])
    expect(good).toMatchObject({ value: 3, states: ['RETRY', 'RETRY', 'RETRY', 'SUCCESS'] })
    expect(bad).toMatchObject({ type: 'ValueError', args: ["'never'"], states: ['RETRY', 'RETRY', 'RETRY', 'FAILURE'] })
  })

  it('goes through the states of a task that tells where it is', async () => {
    const [seen] = await run([{ task: 'peers.progress', args: [100] }])
    expect(seen).toMatchObject({ value: 'done', states: ['STARTED', 'PROGRESS', 'SUCCESS'] })
  })

  it('never starts what has a countdown before its time, and not at the next whole second either', async () => {
    const measure = async (): Promise<number> => {
      const countdowns = [1, 1.3, 1.6]
      const seen = await run(countdowns.map((countdown) => ({ task: 'peers.now', options: { countdown } })))
      const late = seen.map((each) => each.late ?? Number.NaN)
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
      return Math.max(...late)
    }
    // A part of the shortest countdown: of a second that is waited for in steps, one of the three would miss more.
    expect(await bestOf(5, measure, (late) => late < 0.25)).toBeLessThan(0.25)
  })

  it('obeys the soft and the hard time limit, of the task and of the message', async () => {
    const [tidy, stubborn, soft] = await run([
      { task: 'peers.tidy' },
      { task: 'peers.stubborn' },
      { task: 'peers.sleep', args: [5000], options: { soft_time_limit: 0.2, time_limit: 3 } },
    ])
    expect(tidy?.value).toBe('tidied')
    expect(stubborn).toMatchObject({ type: 'TimeLimitExceeded', module: 'billiard.exceptions', args: ['0.3'] })
    expect(soft).toMatchObject({ type: 'SoftTimeLimitExceeded', module: 'billiard.exceptions', args: ['0.2'] })
  })

  if (kind === 'redis') {
    it('tells of a revoked task whose message nobody has taken yet', async () => {
      const backlog = await client.queue()
      const [seen] = await run([{ do: 'revoke', task: 'peers.echo', args: [1], queue: backlog, timeout: 30 }])
      expect(seen).toMatchObject({ type: 'TaskRevokedError', args: ["'revoked'"] })
      expect(await client.depth(backlog)).toBe(1)
    })
  }

  it('revokes a task before it runs, and while it runs', async () => {
    const [before, during] = await run([
      { do: 'revoke', task: 'peers.echo', args: [1], options: { countdown: 600 } },
      { do: 'revoke', task: 'peers.sleep', args: [600_000], running: true, terminate: true },
    ])
    // The client waits for two minutes: neither the countdown nor the sleep was waited for.
    expect(before).toMatchObject({ type: 'TaskRevokedError', args: ["'revoked'"] })
    expect(during).toMatchObject({ type: 'TaskRevokedError', args: ["'terminated'"] })
  })

  it('says of a task that came too late that it expired', async () => {
    const expires = new Date(Date.now() - 60_000).toISOString()
    await client.publish(queue, [taskMessage('peers.echo', { args: [1], headers: { expires } })])
    const [after] = await run([{ task: 'peers.echo', args: [2] }])
    expect(after?.value).toBe(2)
    expect(worker.output).toMatch(/Discarding revoked task: peers\.echo\[/)
  })

  it('stores nothing for a task whose message says so, and runs it all the same', async () => {
    const [ignored, after] = await run([
      { task: 'peers.echo', args: [1], options: { ignore_result: true }, timeout: 1 },
      { task: 'peers.echo', args: [2] },
    ])
    expect(ignored?.type ?? ignored?.value ?? null).not.toBe(1)
    expect(after?.value).toBe(2)
  })

  it('says of an unknown task that it is not registered', async () => {
    const [seen] = await run([{ task: 'peers.nobody' }])
    expect(seen).toMatchObject({ type: 'NotRegistered', module: 'celery.exceptions' })
  })
})
