import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { ask } from '../support/ask.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { type Rabbitmq, startRabbitmq } from '../support/rabbitmq.js'
import { type Redis, startRedis } from '../support/redis.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT } from '../support/workerProgram.js'

/** Passwords with characters that have to be encoded in a URL, and would be escaped in JSON. */
const BROKER = 'kumquat/lychee@"papaya'
const BACKEND = 'quince/medlar@"loquat'
const WRONG = 'rambutan/durian@"tamarillo'
const TOKEN = 't0ken-to-be-hushed-up'
const APP = 'build/apps/steps.js'

/** Every spelling in which one of them could come out. */
const SPELLINGS = [BROKER, BACKEND, WRONG, TOKEN].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  // What is left of one that was cut at the wrong place.
  ...secret.split(/[/@"]+/),
])

let broker: Rabbitmq
let redis: Redis
let client: Client
let queue: string
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'celeriac-secrets-'))
  ;[broker, redis] = await Promise.all([
    startRabbitmq(),
    startRedis({ more: ['--user', 'keeper', 'on', `>${BACKEND}`, '~*', '&*', '+@all'] }),
  ])
  await broker.ctl('add_user', 'keeper', BROKER)
  await broker.ctl('set_permissions', 'keeper', '.*', '.*', '.*')
  client = await Client.open(broker.url)
  queue = await client.queue()
})

afterEach(killAllPrograms)

afterAll(async () => {
  await client?.close()
  await Promise.all([broker?.dispose(), redis?.dispose(), rm(dir, { recursive: true })])
})

function env(brokerPassword = BROKER, backendPassword = BACKEND): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CELERY_BROKER_URL: `amqp://keeper:${encodeURIComponent(brokerPassword)}@127.0.0.1:${broker.port}//`,
    CELERY_RESULT_BACKEND: `redis://keeper:${encodeURIComponent(backendPassword)}@127.0.0.1:${redis.port}/0`,
    CELERIAC_HTTP_TOKEN: TOKEN,
  }
}

function celeriac(args: readonly string[], environment = env()): Program {
  return runProgram(process.execPath, ['bin/celeriac.js', '-A', APP, ...args], { cwd: ROOT, env: environment })
}

function startWorker(args: readonly string[], environment = env()): Program {
  const name = `w${randomUUID().slice(0, 8)}@%h`
  return celeriac(['worker', '-l', 'DEBUG', '-E', '-n', name, '-Q', queue, '--http=127.0.0.1:0', ...args], environment)
}

/** What a command says, told to one worker that answers. */
async function said(...args: string[]): Promise<string> {
  const command = celeriac(args)
  await command.exited
  return command.output
}

function secretsIn(text: string): string[] {
  return SPELLINGS.filter((spelling) => text.includes(spelling))
}

describe('passwords', () => {
  it('are found by this spec in what does say them', () => {
    expect(secretsIn(`Connected to ${env().CELERY_BROKER_URL}`)).toEqual(
      expect.arrayContaining([encodeURIComponent(BROKER)]),
    )
    expect(secretsIn(JSON.stringify({ url: BACKEND }))).toEqual([
      JSON.stringify(BACKEND).slice(1, -1),
      'quince',
      'medlar',
      'loquat',
    ])
  })

  const COMMANDS = ['inspect conf', 'inspect --json conf', 'inspect stats', 'inspect report', 'report', 'status']

  it.each([
    ["with Celery's log, to the commands", [], COMMANDS],
    ['with a log of JSON, by prefork', ['--log-format=json', '-P', 'prefork', '-c', '1'], []],
  ] as const)('are in nothing that a worker says or answers: %s', async (_name, args, commands) => {
    const logfile = join(dir, `${randomUUID()}.log`)
    const worker = startWorker([...args, '--logfile', logfile])
    const log = (): Promise<string> => readFile(logfile, 'utf8').catch(() => '')
    const logged = (text: string): Promise<void> =>
      waitFor(async () => (await log()).includes(text), { what: `the log to say ${text}` })
    await logged(' ready.')
    const id = randomUUID()
    const messages = [taskMessage('tasks.add', { id, args: [1, 2] }), taskMessage('tasks.add', { args: ['x'] })]
    await client.publish(queue, [...messages, taskMessage('tasks.none')])
    await logged(`[${id}] succeeded`)

    const port = Number(/HTTP on 127\.0\.0\.1:(\d+)/.exec(await log())?.[1])
    const pages = ['/', '/metrics', '/readyz', '/livez', '/api/snapshot', '/nothing']
    const answers = await Promise.all(pages.map(async (path) => (await ask(port, path)).body))
    expect(answers[1]).toContain('celery_worker_slots')
    const replies = await Promise.all(commands.map((command) => said(...command.split(' '))))
    expect(replies.filter((reply) => reply === '')).toEqual([])
    worker.kill('SIGTERM')
    expect((await worker.exited).code).toBe(0)
    const all = [worker.output, await log(), ...answers, ...replies].join('\n')
    expect(all).toContain(`keeper:**@127.0.0.1:${broker.port}`)
    expect(secretsIn(all)).toEqual([])
  })

  it('are not in what is said of wrong ones', async () => {
    const refused = startWorker([], env(WRONG))
    await refused.waitForOutput(/Cannot connect to .*ACCESS_REFUSED/s)
    const unheard = startWorker([], env(BROKER, WRONG))
    await unheard.waitForOutput(/Connection to Redis lost: WRONGPASS/)
    const called = celeriac(['call', 'tasks.add', '--args', '[1, 2]'], env(WRONG))
    await called.exited
    const asked = celeriac(['inspect', 'ping'], env(WRONG))
    await asked.exited
    for (const program of [refused, unheard]) program.kill('SIGTERM')
    await Promise.all([refused.exited, unheard.exited])
    const all = [refused, unheard, called, asked].map(({ output }) => output)
    expect(all.every((output) => output.length > 0)).toBe(true)
    expect(secretsIn(all.join('\n'))).toEqual([])
  })

  it('are not in what is said of URLs that cannot be read', async () => {
    const url = (scheme: string): string => `${scheme}://keeper:${encodeURIComponent(WRONG)}@127.0.0.1:port//?x=1`
    const command = celeriac(['worker'], {
      ...env(),
      CELERY_BROKER_URL: url('amqp'),
      CELERY_RESULT_BACKEND: url('nosql'),
    })
    expect((await command.exited).code).toBe(2)
    expect(secretsIn(command.output)).toEqual([])
  })
})
