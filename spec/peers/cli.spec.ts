import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'amqplib'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { redisUrl } from '../support/services.js'
import { isCelery } from '../support/versions.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT } from '../support/workerProgram.js'

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

const HERE = dirname(fileURLToPath(import.meta.url))
/** What differs from one call to the next, whoever asks. */
const FLEETING = /"(clock|uptime)": "?\d+"?|"rusage": \{[^}]*\}/g

const brokerUrl = ownBroker()

describe('our command line and a Python worker', () => {
  let worker: Program
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    env = { ...process.env, CELERY_BROKER_URL: brokerUrl(), CELERY_RESULT_BACKEND: redisUrl(), COLUMNS: '200' }
    worker = startWorker()
    await worker.waitForOutput(/ ready\.$/m)
  })

  afterAll(killAllPrograms)

  function startWorker(): Program {
    return runProgram(
      PYTHON,
      ['-m', 'celery', '-A', 'cliApp', 'worker', '-n', 'w1@peer', '-l', 'INFO', '--without-gossip', '--without-mingle'],
      { cwd: HERE, env: { ...env, PYTHONDONTWRITEBYTECODE: '1' } },
    )
  }

  const start = {
    ours: (...args: string[]): Program =>
      runProgram(process.execPath, ['bin/celeriac.js', '-C', ...args], { cwd: ROOT, env }),
    theirs: (...args: string[]): Program => runProgram(PYTHON, ['-m', 'celery', '-C', ...args], { env }),
  }

  async function end(program: Program): Promise<Ended> {
    const { code } = await program.exited
    return { stdout: program.stdout, stderr: program.stderr, code }
  }

  const ours = (...args: string[]): Promise<Ended> => end(start.ours(...args))
  const theirs = (...args: string[]): Promise<Ended> => end(start.theirs(...args))
  const call = async (...args: string[]): Promise<string> => (await ours('call', ...args)).stdout.trim()

  it.each([
    ['status'],
    ['status', '-j'],
    ['inspect', 'ping'],
    ['-q', 'inspect', 'ping'],
    ['inspect', 'ping', '-j'],
    ['inspect', 'ping', '-d', 'w1@peer', '-t', '5'],
    ['inspect', 'active'],
    ['inspect', 'reserved'],
    ['inspect', 'scheduled'],
    ['inspect', 'registered'],
    ['inspect', 'registered', 'rate_limit', 'exchange'],
    ['inspect', 'active_queues'],
    ['inspect', 'active_queues', '--json'],
    ['inspect', 'query_task', 'a', 'b'],
    ['inspect', 'conf'],
    ['inspect', 'conf', 'true'],
    ['inspect', 'report'],
    ['inspect', 'stats'],
    ['inspect', 'stats', '-j'],
    ['inspect', 'clock'],
    ['inspect', 'memdump'],
    ['control', 'rate_limit', 'peers.echo', '100/s'],
    ['control', 'rate_limit', 'peers.echo', '100/s', '-j'],
    ['control', 'rate_limit', 'peers.nobody', '100/s'],
    ['control', 'rate_limit', 'peers.echo'],
    ['control', 'time_limit', 'peers.echo', '1.5', '20'],
    ['control', 'add_consumer', 'other'],
    ['control', 'cancel_consumer', 'other'],
    ['control', 'heartbeat'],
    ['control', 'disable_events'],
    // Python's worker starts and ends processes before it answers, which may take longer than the second that is waited for.
    ['control', '-d', 'w1@peer', '-t', '30', 'pool_grow', '1'],
    ['control', '-d', 'w1@peer', '-t', '30', 'pool_shrink', '1'],
    ['control', 'autoscale', '3', '1'],
    ['control', 'revoke', 'a'],
    ['control', 'terminate', 'TERM', 'b'],
    ['control', 'election'],
  ])('say the same as theirs: %s %s %s %s', async (...args) => {
    const [expected, seen] = await Promise.all([theirs(...args), ours(...args)])
    expect(expected.code).toBe(0)
    expect(expected.stdout).toContain('w1@peer')
    expect(seen.stdout.replace(FLEETING, '$1')).toBe(expected.stdout.replace(FLEETING, '$1'))
    expect(seen.stderr).toBe('')
    expect(seen.code).toBe(0)
  })

  it.each([
    [['status', '-d', 'nobody@nowhere', '-t', '0.2'], 69],
    [['inspect', 'ping', '-d', 'nobody@nowhere', '-t', '0.2'], 69],
    [['control', 'heartbeat', '-d', 'nobody@nowhere', '-t', '0.2'], 69],
  ])('end alike when nobody replies: %j', async (args, code) => {
    const [expected, seen] = await Promise.all([theirs(...args), ours(...args)])
    expect(expected).toMatchObject({ stderr: 'Error: No nodes replied within time constraint\n', code })
    expect(seen).toEqual(expected)
  })

  it.each([
    [['control', 'pool_grow', '1', '2'], "Error: Command 'pool_grow' takes arguments: [N=1]\n"],
    [
      ['control', 'nonsense'],
      "'nonsense' is not one of",
      isCelery(5, 4) ? 'Command nonsense not recognized.' : undefined,
    ],
    [['inspect'], ''],
    [['call'], ''],
    [['call', 'peers.echo', '-a', '{}'], '{} was not an array'],
    [['call', 'peers.echo', '-k', '[]'], '[] was not an object'],
    [
      ['call', 'peers.echo', '--eta', 'soon'],
      "unable to parse date string 'soon'",
      isCelery(5, 3) ? "Invalid value for '--eta': " : undefined,
    ],
  ])('end with 2 for a wrong command line: %j', async (args, text, later = text) => {
    const [expected, seen] = await Promise.all([theirs(...args), ours(...args)])
    expect([expected.code, seen.code]).toEqual([2, 2])
    expect(expected.stderr).toContain(later)
    expect(seen.stderr).toContain(text)
  })

  it('say in a line what the broker refuses, and end with 1', async () => {
    const refused = await ours('call', 'peers.echo', '--queue', 'amq.reserved')
    expect(refused).toMatchObject({ stdout: '', code: 1 })
    expect(refused.stderr).toMatch(/^Error: .*ACCESS_REFUSED - exchange name 'amq\.reserved' .*\n$/)
  })

  it('show what runs', async () => {
    const id = await call('peers.sleep', '-a', '[600]')
    await waitFor(async () => (await ours('inspect', 'active')).stdout.includes(id), {
      what: 'the task to run',
    })
    const [expected, seen] = await Promise.all([theirs('inspect', 'active'), ours('inspect', 'active')])
    expect(seen).toEqual(expected)
    expect(seen.stdout).toMatch(
      new RegExp(`^    \\* \\{'id': '${id}', 'name': 'peers\\.sleep', 'args': \\[600\\], 'kwargs': \\{\\}, `, 'm'),
    )
    await ours('control', 'terminate', 'KILL', id)
  })

  it('send tasks whose arguments arrive with their types, and print what they return', async () => {
    const calls: ReadonlyArray<readonly [string[], string]> = [
      [['peers.type', '-a', '[1.0]'], 'float'],
      [['peers.type', '-a', '[1]'], 'int'],
      [['peers.echo', '-a', '[1152921504606846977]'], '1152921504606846977'],
      [['peers.echo', '-a', '["é\\n漢"]'], 'é\n漢'],
      [['peers.echo', '-k', '{"a": [null, true, "x"]}'], "{'a': [None, True, 'x']}"],
      [['peers.echo'], ''],
    ]
    for (const [args, value] of calls) {
      const id = await call(...args)
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      const [expected, seen] = await Promise.all([theirs('result', id), ours('result', id)])
      expect(expected.stdout).toBe(`${value}\n`)
      expect(seen).toEqual(expected)
    }
  })

  it('show the traceback of a failure', async () => {
    const id = await call('peers.fail')
    const failed = await ours('result', id)
    expect(failed).toMatchObject({ stdout: '', code: 1 })
    expect(failed.stderr).toMatch(/^Traceback \(most recent call last\):\n[\s\S]*\nValueError: boom\n$/)
    expect(await ours('result', '--traceback', id)).toEqual(await theirs('result', '--traceback', id))
  })

  it('send a task with countdown, expiry, serializer, exchange and routing key', async () => {
    const id = await call(
      ...['peers.echo', '-a', '[2]', '--countdown', '1', '--expires', '60', '--serializer', 'json'],
      ...['--exchange', 'celery', '--routing-key', 'celery'],
    )
    expect(await ours('result', id)).toEqual({ stdout: '2\n', stderr: '', code: 0 })
    expect(worker.stderr).toContain(`Task peers.echo[${id}] received`)
  })

  it('purge what waits', async () => {
    const fill = async (): Promise<void> => {
      for (const value of [1, 2, 3]) await call('peers.echo', '-a', `[${value}]`, '--queue', 'idle')
    }
    const seen: Ended[] = []
    for (const purge of [theirs, ours]) {
      await fill()
      seen.push(await purge('purge', '-f', '-Q', 'idle,nowhere'), await purge('purge', '-f', '-Q', 'idle'))
    }
    expect(seen[0]?.stdout).toBe('Purged 3 messages from 2 known task queues.\n')
    expect(seen.slice(2)).toEqual(seen.slice(0, 2))
    expect(await ours('purge', '-X', 'celery')).toEqual(await theirs('purge', '-X', 'celery'))
    expect(await ours('purge')).toEqual(await theirs('purge'))
  })

  it('purge the other queues when the broker refuses one, and name it', async () => {
    await call('peers.echo', '-a', '[1]', '--queue', 'idle')
    const connection = await connect(brokerUrl())
    try {
      const channel = await connection.createChannel()
      await channel.assertQueue('a-locked-one', { exclusive: true })
      const { code, stderr, stdout } = await ours('purge', '-f', '-Q', 'a-locked-one,idle')
      expect(stdout).toBe('Purged 1 message from 2 known task queues.\n')
      expect(stderr).toMatch(/^Error: a-locked-one is not purged: .*RESOURCE_LOCKED.*\n$/)
      expect(code).toBe(1)
    } finally {
      await connection.close()
    }
  })

  it('dump the same events', async () => {
    const dumps = [start.theirs('events', '--dump'), start.ours('events', '--dump')]
    // Those that answer a command say less.
    await Promise.all(dumps.map((dump) => dump.waitForOutput(/heartbeat: active=/)))
    await ours('control', 'enable_events')
    await call('peers.echo', '-a', '["it\'s", 1.0]', '-k', '{"k": 1}')
    await call('peers.fail')
    const id = await call('peers.echo', '-a', '[1]')
    await Promise.all(dumps.map((dump) => dump.waitForOutput(new RegExp(`task succeeded: peers\\.echo\\(${id}\\) `))))
    for (const dump of dumps) dump.kill('SIGINT')
    const [expected, seen] = await Promise.all(dumps.map(end))
    const ofTasks = ({ stdout = '' }: Partial<Ended> = {}): string =>
      stdout
        .replace(/local_received=[\d.]+/g, 'local_received')
        .replace(/^\S+ \[.*?\] (?:heartbeat|started|shutdown): .*\n/gm, '')
    const zone = /(?<=^\S+ \[[^\]+]*)\+00:00(?=\] task )/gm
    expect(zone.test(ofTasks(expected))).toBe(isCelery(5, 6))
    expect(ofTasks(seen)).toBe(ofTasks(expected).replace(zone, ''))
    expect(ofTasks(seen).match(/\] task \w+:/g)).toEqual(
      ['received', 'started', 'failed', 'received', 'started', 'failed', 'received', 'started', 'succeeded'].map(
        (word) => `] task ${word}:`,
      ),
    )
    expect(seen?.stdout).toMatch(/ heartbeat: active=\d+, clock=\d+, freq=2\.0, loadavg=\[/)
    expect([expected?.code, seen?.code]).toEqual([0, 0])
  })

  it('say why bindings cannot be listed', async () => {
    const { code, stderr } = await ours('list', 'bindings')
    expect(stderr).toContain("RabbitMQ's management API at http://127.0.0.1:15672 failed")
    expect(code).toBe(1)
  })

  it('list bindings from where broker_transport_options say', async () => {
    const asked: Array<string | undefined> = []
    const manager = createServer(({ headers, url }, response) => {
      asked.push(`${url} ${Buffer.from(headers.authorization?.split(' ')[1] ?? '', 'base64')}`)
      response.end(JSON.stringify([{ source: 'orders', destination: 'invoices', routing_key: 'paid' }]))
    })
    await once(manager.listen(0, '127.0.0.1'), 'listening')
    const { port } = manager.address() as AddressInfo
    const options = { manager_hostname: '127.0.0.1', manager_port: port, manager_userid: 'u', manager_password: 'p' }
    const given = { ...env, CELERY_BROKER_TRANSPORT_OPTIONS: JSON.stringify(options) }
    const list = ['bin/celeriac.js', '-C', 'list', 'bindings']
    const listed = await end(runProgram(process.execPath, list, { cwd: ROOT, env: given }))
    manager.close()
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(listed.stdout).toMatch(/^invoices +orders +paid$/m)
    expect(asked).toEqual(['/api/bindings/%2F u:p'])
  })

  it('shut the worker down, which sends no reply', async () => {
    expect(await ours('control', 'shutdown', '-t', '0.5')).toEqual({
      stdout: '',
      stderr: 'Error: No nodes replied within time constraint\n',
      code: 69,
    })
    await worker.exited
    expect(worker.stderr).toContain('Got shutdown from remote')
    worker = startWorker()
    await worker.waitForOutput(/ ready\.$/m)
    expect(await theirs('control', 'shutdown', '-t', '0.5')).toMatchObject({ stdout: '', code: 69 })
    await worker.exited
  })
})
